"""Pages of the gallery: what hangs, one work, proposing, one's own."""

from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe, Forbidden, WeightsDamaged, WeightsMissing
from salon.web import codes, cookies
from salon.web.events import devices, entering
from salon.web.events.domain import current_event
from salon.web.gallery import topics
from salon.web.gallery.domain import curating, proposing, searching, showing, taking, uploads
from salon.web.gallery.models import Licence, Work
from salon.web.line import Cancel, ToDesk, line
from salon.web.pages import page
from salon.web.people.sessions import allowed
from salon.web.refuses.domain.reporting import reports_of
from salon.web.station.domain.visitors import COOKIE, give_ticket, new_visitor, standing_of, visitor_of

#: pictures that the page of a code shows
TAKE_SHOWN = 4
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
    context["feed_url"] = codes.public_address(request, reverse("gallery:feed"))
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
        "may_download": found.licence != Licence.ALL_RIGHTS or found.visitor == visitor,
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
    here = Work.objects.select_related("given").filter(event=current_event(), given__isnull=False)
    work = get_object_or_404(here, id=work_id)
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
        link=codes.public_address(request, reverse("gallery:gallery")),
        description=_("What was hung last."),
        feed_url=codes.public_address(request, request.get_full_path()),
    )
    for one in works:
        address = codes.public_address(request, reverse("gallery:work", args=[one.id]))
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


def _mine(visitor: str | None, number: str) -> dict[str, Any]:
    works, drawn = proposing.works_of(visitor), proposing.drawn(visitor, number)
    return {
        "works": works,
        "reports": reports_of(visitor),
        "drawn": drawn,
        "has_drawn": drawn.paginator.count > 0,
        "live": {work.image_id for work in works if work.state in Work.ALIVE},
    }


@require_safe
async def mine(request: HttpRequest) -> HttpResponse:
    """`/mine`: what this visitor drew and proposed. `?page=` of what was drawn, newest first."""
    context = await sync_to_async(_mine)(visitor_of(request), request.GET.get("page", ""))
    return await page(request, "gallery/mine.html", context)


@require_safe
async def mine_qr(request: HttpRequest) -> HttpResponse:
    """`/mine/qr.svg`: takes this visitor's pictures along to another device."""
    visitor = visitor_of(request)
    if visitor is None:
        raise Http404
    token = await sync_to_async(taking.code)(visitor)
    answer = codes.qr_answer(codes.public_address(request, reverse("gallery:take", args=[token])))
    answer["Cache-Control"] = "no-store"
    return answer


def _take(request: HttpRequest, token: str) -> HttpResponse:
    sender, own = taking.sender(token), visitor_of(request)
    if own == sender:
        return HttpResponseRedirect(reverse("gallery:mine"))
    if request.method != "POST":
        return entering.shown(request, _way_home(sender))
    own = own or new_visitor()  # a ticket of its own, never the sender's
    taking.take(token, own)
    response = HttpResponseRedirect(f"{reverse('gallery:mine')}?{urlencode({'taken': 1})}")
    give_ticket(request, response, own)
    return response


def _way_home(sender: str) -> entering.Way:
    """What a code says before it is used."""
    count, newest, booth = taking.look(sender, TAKE_SHOWN)
    pictures = ngettext("%(count)d picture", "%(count)d pictures", count) % {"count": count}
    says = [
        _("They move here, with what was proposed and reported of them: afterwards they are on this device, beside "
          "what it has drawn itself, and no longer where they were drawn."),
        _("The code works once. Are they not yours? Then leave them to whoever drew them."),
    ]  # fmt: skip
    title = _("Drawn at “%(booth)s”") % {"booth": booth} if booth else _("Drawn on another device")
    return entering.Way(title=title, whose=pictures, button=_("Take them along"), says=says, pictures=newest)


@require_http_methods(["GET", "HEAD", "POST"])
async def take(request: HttpRequest, token: str) -> HttpResponse:
    """`/mine/take/<token>`: what a code takes along; once the button is pressed it belongs to this device."""
    return await sync_to_async(_take)(request, token)


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
    cookies.drop(response, COOKIE)
    return response
