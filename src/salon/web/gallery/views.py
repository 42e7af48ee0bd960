"""Pages of the gallery: what hangs, one work, proposing, one's own."""

from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe, Forbidden, WeightsDamaged, WeightsMissing
from salon.web import codes
from salon.web.events import devices
from salon.web.events.domain import current_event
from salon.web.gallery import topics
from salon.web.gallery.domain import curating, proposing, searching, showing, uploads
from salon.web.gallery.models import Licence, Work
from salon.web.line import Cancel, ToDesk, line
from salon.web.pages import page
from salon.web.people.sessions import allowed
from salon.web.refuses.domain.reporting import reports_of
from salon.web.station.domain.visitors import COOKIE, give_ticket, standing_of, visitor_of
from salon.web.station.models import Image

#: the code at the booth is good for so many seconds
TAKE_ALONG = 15 * 60
_TAKE = "salon.take"
FEED_LENGTH = 30


def _public_work(work_id: str) -> Work:
    """A work that hangs; nobody is told of the others."""
    work = Work.objects.filter(id=work_id, state=Work.State.HUNG).select_related("image", "given").first()
    if work is None:
        raise Http404
    return work


def _gallery(before: str) -> dict[str, Any]:
    works, further = showing.page(current_event(), before)
    shown = [showing.shown(work) for work in works]
    return {"works": shown, "further": further, "first": not before, "trouble": searching.trouble() if shown else ""}


@require_safe
async def gallery(request: HttpRequest) -> HttpResponse:
    """`/gallery`: everything that hangs, newest first."""
    context = await sync_to_async(_gallery)(request.GET.get("after", "")[:32])
    context["feed_url"] = request.build_absolute_uri(reverse("gallery:feed"))
    return await page(request, "gallery/gallery.html", context)


def _searched(request: HttpRequest) -> tuple[dict[str, Any], searching.Found | None]:
    """What was asked for, and what was found; None if nothing was. Raises BadRecipe, Http404."""
    event, alike = current_event(), request.GET.get("like", "")[:32]
    if request.method == "POST":
        return {"uploaded": True}, searching.by_picture(event, uploads.read(request.FILES.get("picture")))
    if alike:
        work = _public_work(alike)
        return {"alike": showing.shown(work)}, searching.like(event, work)
    words = searching.read_words(request.GET.get("q", ""))
    return {"query": words}, searching.by_words(event, words) if words else None


def _search(request: HttpRequest) -> tuple[dict[str, Any], int]:
    """What the page shows, and its status."""
    if sentence := searching.trouble():
        return {"trouble": sentence}, 503
    try:
        context, found = _searched(request)
    except BadRecipe as error:
        return {"wrong": str(error), "uploaded": request.method == "POST"}, 400
    except FileNotFoundError as error:
        raise Http404 from error
    except (WeightsDamaged, WeightsMissing):  # it was whole, but it cannot be opened
        return {"trouble": searching.trouble()}, 503
    if found is None:
        return context, 200
    works = [showing.shown(work) | {"cosine": cosine} for work, cosine in found.works]
    return context | {"works": works, "compared": found.compared, "hanging": found.hanging, "searched": True}, 200


@require_http_methods(["GET", "HEAD", "POST"])
async def search(request: HttpRequest) -> HttpResponse:
    """`/gallery/search`: what hangs, nearest first to words (`q`), to a work (`like`), or to a picture (POST), of which
    nothing is kept."""
    context, status = await sync_to_async(_search)(request)
    return await page(request, "gallery/search.html", context, status=status)


def _work(work_id: str, visitor: str | None) -> dict[str, Any]:
    found = _public_work(work_id)
    before, after = showing.neighbours(found)
    public = found.may_publish_prompt
    return {
        "work": showing.shown(found),
        "image": found.image,
        "picture": found.picture,
        "recipe_url": reverse("station:image", args=[found.image_id]) if found.image and public else "",
        "before": before,
        "after": after,
        "mine": visitor is not None and found.visitor == visitor,
        "searchable": not searching.trouble(),
    }


@require_safe
async def work(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/works/<id>`: the work with its label and its neighbours."""
    context = await sync_to_async(_work)(work_id, visitor_of(request))
    context["page_url"] = codes.public_address(request, request.path)
    context["card_url"] = codes.public_address(request, reverse("gallery:card", args=[work_id]))
    return await page(request, "gallery/work.html", context)


def _bytes(work_id: str, make: Any, given: bool | None) -> bytes:
    work = _public_work(work_id)
    if given is not None and given != bool(work.given_id):
        raise Http404
    try:
        data: bytes = make(work)
    except FileNotFoundError as error:
        raise Http404 from error
    return data


async def _picture(work_id: str, make: Any, kind: str, given: bool | None = None) -> HttpResponse:
    """A picture of a hung work. Not kept for long: it may come down."""
    response = HttpResponse(await sync_to_async(_bytes)(work_id, make, given), content_type=kind)
    response["Cache-Control"] = "public, max-age=60"
    return response


@require_safe
async def work_file(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/works/<id>.png`: the picture, with its recipe inside if its maker lets the prompt be published."""
    return await _picture(work_id, showing.read_file, "image/png", given=False)


@require_safe
async def work_given(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/works/<id>.webp`: a picture that was not drawn here."""
    return await _picture(work_id, showing.read_file, "image/webp", given=True)


@require_safe
@allowed("curator")
def backstage_picture(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/backstage/works/<id>/picture`: a given picture before it hangs, or after."""
    work = get_object_or_404(Work.objects.select_related("given"), id=work_id, given__isnull=False)
    try:
        return HttpResponse(showing.read_file(work), content_type="image/webp")
    except FileNotFoundError as error:
        raise Http404 from error


@require_POST
@allowed("curator")
def remove_given(request: HttpRequest, work_id: str) -> HttpResponse:
    """Takes a given picture off every screen and out of the house."""
    work = curating.remove_given(request.user, work_id, request.POST.get("reason", ""))
    async_to_sync(_tell)(topics.gone(work.event, work.id))
    return HttpResponseRedirect(reverse("backstage:screens"))


async def _tell(message: ToDesk) -> None:
    line().tell(message)


@require_safe
async def card(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/works/<id>/card.jpg`: what social networks show."""
    return await _picture(work_id, showing.card, "image/jpeg")


@require_safe
async def work_qr(request: HttpRequest, work_id: str) -> HttpResponse:
    """`/works/<id>/qr.svg`: the way to the work's page."""
    await sync_to_async(_public_work)(work_id)
    return codes.qr_answer(codes.public_address(request, reverse("gallery:work", args=[work_id])))


def _feed(request: HttpRequest) -> bytes:
    works = list(showing.hung(current_event())[:FEED_LENGTH])
    feed = Atom1Feed(
        title=_("Latent Salon"),
        link=request.build_absolute_uri(reverse("gallery:gallery")),
        description=_("What was hung last."),
        feed_url=request.build_absolute_uri(),
    )
    for one in works:
        address = request.build_absolute_uri(reverse("gallery:work", args=[one.id]))
        feed.add_item(
            title=one.title,
            link=address,
            description=one.statement or one.title,
            author_name=one.maker or _("a visitor"),
            unique_id=address,
            pubdate=one.hung_at,
            updateddate=one.hung_at,
        )
    return feed.writeString("utf-8").encode()


@require_GET
async def feed(request: HttpRequest) -> HttpResponse:
    """`/gallery/feed.xml`: Atom."""
    return HttpResponse(await sync_to_async(_feed)(request), content_type="application/atom+xml; charset=utf-8")


def _propose(request: HttpRequest, image_id: str, visitor: str | None) -> tuple[dict[str, Any], Work | None]:
    """What the form shows, and the work if it has been proposed."""
    image = proposing.drawn_by(visitor, image_id)
    if image is None or visitor is None:
        raise Forbidden(
            _("Only who had a picture drawn can propose it."), _("Draw it again from its recipe: then it is yours.")
        )
    proposal, wrong = proposing.read_proposal(request.POST)
    if request.method == "POST" and not wrong:
        return {}, proposing.propose(visitor, image, proposal, standing_of(request, devices.booth(request)))[0]
    shown: dict[str, Any] = {"proposal": proposal, "wrong": wrong if request.method == "POST" else {}}
    return shown | {"image": image, "prompt": image.recipe.prompt, "licences": Licence.choices}, proposing.live_work(
        visitor, image_id
    )


@require_http_methods(["GET", "HEAD", "POST"])
async def propose(request: HttpRequest, image_id: str) -> HttpResponse:
    """`/images/<id>/hang`: the form for the label; then one's own page, where the work waits."""
    context, proposed = await sync_to_async(_propose)(request, image_id, visitor_of(request))
    if proposed is not None:
        return HttpResponseRedirect(f"{reverse('gallery:mine')}#{proposed.id}")
    return await page(request, "gallery/hang.html", context, status=422 if context["wrong"] else 200)


def _mine(visitor: str | None) -> dict[str, Any]:
    images = (
        Image.objects.filter(drawings__request__visitor=visitor, drawings__request__state="finished")
        .exclude(file="")
        .order_by("-drawings__request__created_at", "drawings__index")[:90]
        if visitor
        else []
    )
    works = proposing.works_of(visitor)
    return {
        "works": works,
        "reports": reports_of(visitor),
        "images": [{"id": image.id, "prompt": image.recipe.prompt} for image in dict.fromkeys(images)],
        "live": {work.image_id for work in works if work.state in Work.ALIVE},
    }


@require_safe
async def mine(request: HttpRequest) -> HttpResponse:
    """`/mine`: what this visitor drew and proposed."""
    context = await sync_to_async(_mine)(visitor_of(request))
    return await page(request, "gallery/mine.html", context)


def _take_url(request: HttpRequest, visitor: str) -> str:
    token = signing.dumps(visitor, salt=_TAKE, compress=True)
    return codes.public_address(request, reverse("gallery:take", args=[token]))


@require_safe
async def mine_qr(request: HttpRequest) -> HttpResponse:
    """`/mine/qr.svg`: takes this visitor's pictures along to another device."""
    visitor = visitor_of(request)
    if visitor is None:
        raise Http404
    answer = codes.qr_answer(_take_url(request, visitor))
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
async def take(request: HttpRequest, token: str) -> HttpResponse:
    """`/mine/take/<token>`: the booth's pictures are this device's from now on, beside what it has drawn itself."""
    try:
        visitor = signing.loads(token, salt=_TAKE, max_age=TAKE_ALONG)
    except signing.BadSignature as error:
        raise Forbidden(_("This code is too old, or not ours."), _("Ask for a new one at the booth.")) from error
    own = visitor_of(request) or visitor  # a device without a ticket takes the booth's
    if own != visitor:
        await sync_to_async(proposing.take_along)(visitor, own)
    response = HttpResponseRedirect(f"{reverse('gallery:mine')}?{urlencode({'taken': 1})}")
    give_ticket(request, response, own)
    return response


@require_POST
async def withdraw(request: HttpRequest, work_id: str) -> HttpResponse:
    """Takes one's own work back; the walls are told at once."""
    withdrawn = await sync_to_async(proposing.withdraw)(visitor_of(request) or "", work_id)
    line().tell(topics.changed(withdrawn))
    return HttpResponseRedirect(reverse("gallery:mine"))


def _forget(visitor: str) -> list[ToDesk]:
    event, (hung, stopped) = current_event(), proposing.forget(visitor)
    return [*(topics.gone(event, work) for work in hung), *(Cancel(request=request) for request in stopped)]


@require_POST
async def forget(request: HttpRequest) -> HttpResponse:
    """Erases everything of this visitor, and the ticket."""
    visitor = visitor_of(request)
    for message in await sync_to_async(_forget)(visitor) if visitor else []:
        line().tell(message)
    response = HttpResponseRedirect(f"{reverse('gallery:mine')}?{urlencode({'forgotten': 1})}")
    response.delete_cookie(COOKIE)
    return response
