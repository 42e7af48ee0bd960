"""Backstage pages. Synchronous: few people, and all of it is database work. Each deed is a POST."""

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe, Forbidden
from salon.web import codes as qr
from salon.web import cookies
from salon.web.arena.domain import pairing
from salon.web.backstage import coming_in, domain, logins, pins
from salon.web.backstage.pins import at_the_screens
from salon.web.events import devices as machines
from salon.web.events import entering
from salon.web.events.domain import current_event
from salon.web.events.models import Device
from salon.web.gallery import topics
from salon.web.gallery.domain import curating, filtering, showing
from salon.web.line import Cancel, EngineState, ToDesk, line
from salon.web.pages import rendered
from salon.web.people import codes
from salon.web.people.links import use_link, user_of
from salon.web.people.models import User
from salon.web.people.sessions import allowed, may, staff, with_account
from salon.web.refuses.domain.reporting import recent
from salon.web.sources import source_of
from salon.web.station.models import Image

#: by which the browser that asked for a code by e-mail is known
CODE_COOKIE = cookies.personal("salon_code", "/backstage/code")
#: works that a wall goes round, and so all that can be on a screen
SCREENS_LENGTH = 120
#: devices that are made here; those of doors belong to their door
KINDS = [choice for choice in Device.Kind.choices if choice[0] != Device.Kind.DOOR]


@async_to_sync
async def _tell(message: ToDesk) -> None:
    line().tell(message)


@async_to_sync
async def _engine() -> EngineState:
    return line().engine


def _after_login(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}) and wanted.startswith("/backstage")
    return wanted if safe else reverse("backstage:home")


@require_http_methods(["GET", "HEAD", "POST"])
@with_account
def login(request: HttpRequest) -> HttpResponse:
    """`/backstage/login`: by password; the one-time link comes in by `enter`."""
    form = AuthenticationForm(request, data=request.POST or None)
    if request.method == "POST":
        name = request.POST.get("username", "")
        tried = logins.begin(request, name)
        if form.is_valid():
            logins.succeed(form.get_user(), tried)
            return coming_in.let_in(request, form.get_user(), _after_login(request))
        logins.fail(name)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "by_email": settings.EMAIL_CONFIGURED, "until": coming_in.until()}
    context["by_pin"] = pins.has_pin(machines.booth(request))
    return rendered(request, "backstage/login.html", context, status)


@require_POST
@with_account
def code(request: HttpRequest) -> HttpResponse:
    """`/backstage/code`: keeps that a code was asked for (the worker sends it, if the address is somebody's), or takes
    one. Status, page and work are the same for every address."""
    token, given = request.COOKIES.get(CODE_COOKIE, "")[:64], request.POST.get("code", "")[:12]
    if given:
        return _by_code(request, token, given)
    token = codes.ask(request.POST.get("email", ""), source_of(request), token)
    response = rendered(request, "backstage/code.html", {})
    cookies.keep(response, CODE_COOKIE, token, int(codes.LIFETIME.total_seconds()))
    return response


def _by_code(request: HttpRequest, token: str, given: str) -> HttpResponse:
    try:
        user = codes.use(token, given)
    except Forbidden as error:
        return rendered(request, "backstage/code.html", {"error": error}, 403)
    return coming_in.let_in_without(request, user)


@require_http_methods(["GET", "HEAD", "POST"])
@with_account
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """`/backstage/enter/<token>`: the one-time link that `salon run` prints."""
    if request.method != "POST":
        return _entrance(request, user_of(token))
    return coming_in.let_in_without(request, use_link(token))


def _entrance(request: HttpRequest, wanted: User) -> HttpResponse:
    """What a one-time link says before it is spent."""
    now, instead = request.user, ""
    if now.is_authenticated and now != wanted:
        instead = _("Until now this browser is %(name)s backstage.") % {"name": now}
    says = [
        _("This link lets %(name)s in backstage, once: looking at this page does not spend it, pressing does.")
        % {"name": wanted},
        _("What is done from here on stands in the trail under this name."),
    ]
    way = entering.Way(title=_("Backstage"), whose=str(wanted), button=_("Come in"), says=says, instead=instead)
    return entering.shown(request, way)


@require_POST
@with_account
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponseRedirect(reverse("backstage:login"))


@require_safe
@staff
def home(request: HttpRequest) -> HttpResponse:
    """`/backstage`: the inbox, and beside it how the house is. Whoever does something else here finds the way there."""
    event = current_event()
    if not may(request.user, "curator"):
        return rendered(request, "backstage/duties.html", {"event": event, "user": request.user})
    context = {
        "event": event,
        "inbox": [(work, filtering.told(work)) for work in curating.inbox(event)],
        "filter": filtering.stands(),
        "decided": curating.decided(event),
        "pulse": domain.pulse(event, _engine()),
        "reports": recent(event, 6),
        "emptied": request.GET.get("emptied", "")[:6],
        "user": request.user,
    }
    return rendered(request, "backstage/home.html", context)


@require_POST
@at_the_screens
def decide(request: HttpRequest, work_id: str, deed: str) -> HttpResponse:
    """Approve, reject, take down or reopen a work; the walls are told at once."""
    if deed not in curating.DEEDS:
        raise Http404
    if deed != "pulled" and not may(request.user, "curator"):
        raise Forbidden(_("Only a curator decides what hangs."), _("Taking a work down is what you may do, too."))
    work = curating.decide(request.user, work_id, deed, request.POST.get("reason", ""))
    _tell(topics.changed(work))
    if deed == "pulled" and request.POST.get("back") == "screens":
        return HttpResponseRedirect(reverse("backstage:screens"))
    return HttpResponseRedirect(f"{reverse('backstage:home')}#decided")


@require_safe
@at_the_screens
def screens(request: HttpRequest) -> HttpResponse:
    """`/backstage/screens`: what hangs now, each to be taken off with one press; all walls to be blanked with one."""
    event = current_event()
    context = {"event": event, "works": showing.hung(event)[:SCREENS_LENGTH], "removed": curating.removed(event)}
    context["curator"] = may(request.user, "curator")
    return rendered(request, "backstage/screens.html", context)


@require_POST
@at_the_screens
def lights(request: HttpRequest) -> HttpResponse:
    """Blank every wall, or light them again."""
    _tell(topics.lights(domain.set_lights(request.user, bool(request.POST.get("dark")))))
    return HttpResponseRedirect(reverse("backstage:screens"))


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def remove(request: HttpRequest, image_id: str) -> HttpResponse:
    """Take an image off every screen and out of the house. By GET (the link under every picture): the question."""
    if request.method != "POST":
        image = get_object_or_404(Image, id=image_id)
        return rendered(request, "backstage/remove.html", {"image": image})
    event, works = curating.remove(request.user, image_id, request.POST.get("reason", ""))
    for work in works:
        _tell(topics.gone(event, work.id))
    _tell(topics.removed(event, image_id))
    return HttpResponseRedirect(reverse("backstage:screens"))


@require_POST
@allowed("curator")
def let_in(request: HttpRequest, image_id: str) -> HttpResponse:
    """The image may be drawn again."""
    curating.let_in(request.user, image_id)
    return HttpResponseRedirect(reverse("backstage:screens"))


@require_POST
@allowed("curator")
def house(request: HttpRequest) -> HttpResponse:
    """Pause and banner."""
    domain.set_house(request.user, bool(request.POST.get("paused")), request.POST.get("banner", ""))
    return HttpResponseRedirect(reverse("backstage:home"))


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def empty_line(request: HttpRequest) -> HttpResponse:
    """`/backstage/line`: what waits and from whom; POST, when it was confirmed, empties it. Raises BadRecipe."""
    if request.method != "POST":
        return rendered(request, "backstage/line.html", domain.line_of(current_event()))
    if request.POST.get("sure") != "yes":
        raise BadRecipe(_("The line is as it was: the tick that says that you are sure was missing."), _("Go back."))
    ended = domain.empty_line(request.user)
    for one in ended:
        _tell(Cancel(request=one))
    return HttpResponseRedirect(f"{reverse('backstage:home')}?{urlencode({'emptied': len(ended)})}")


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def devices(request: HttpRequest) -> HttpResponse:
    """Booths and walls. A new device's link is shown once, as a QR code, too."""
    context: dict[str, object] = {"kinds": KINDS, "layouts": Device.Layout.choices}
    if request.method == "POST":
        form = request.POST
        kind = form.get("kind", "") if form.get("kind") in dict(KINDS) else ""
        made, token = machines.make(request.user, kind, form.get("name", ""), form.get("layout", "single"))
        room = "wall:enter" if made.kind == Device.Kind.WALL else "station:enter"
        link = qr.public_address(request, reverse(room, args=[token]))
        context |= {"made": made, "link": link, "qr": qr.qr_svg(link).decode()}
    context["pin"] = pins.pin_of(current_event())
    context["devices"] = Device.objects.filter(event=current_event(), kind__in=dict(KINDS))
    return rendered(request, "backstage/devices.html", context)


@require_POST
@allowed("curator")
def revoke(request: HttpRequest, device_id: str) -> HttpResponse:
    """The device's token opens nothing any more."""
    machines.revoke(request.user, device_id, Q(kind__in=dict(KINDS)))
    return HttpResponseRedirect(reverse("backstage:devices"))


@require_safe
@allowed("curator")
def engine(request: HttpRequest) -> HttpResponse:
    """The live view's numbers."""
    return JsonResponse(domain.pulse(current_event(), _engine()))


@require_safe
@allowed("curator")
def reports(request: HttpRequest) -> HttpResponse:
    """What visitors reported."""
    return rendered(request, "backstage/reports.html", {"reports": recent(current_event(), 200)})


@require_http_methods(["GET", "HEAD", "POST"])
@allowed("curator")
def arena(request: HttpRequest) -> HttpResponse:
    """`/backstage/arena`: which two models a curator has set against each other; POST begins a pairing or ends it."""
    state, form = _engine(), request.POST
    if request.method == "POST":
        if form.get("end"):
            pairing.end(request.user)
        else:
            pairing.begin(request.user, form.get("one", ""), form.get("other", ""), state)
        return HttpResponseRedirect(reverse("backstage:arena"))
    context = pairing.shown(current_event(), state)
    if context["reviewers"]:
        path = reverse("arena:reviewers", args=[pairing.token(context["pairing"])])
        context["link"] = qr.public_address(request, path)
        context["qr"] = qr.qr_svg(context["link"]).decode()
    return rendered(request, "backstage/arena.html", context)


@require_safe
@staff
def cheatsheet(request: HttpRequest) -> HttpResponse:
    """A page for the volunteer at the booth, to be printed."""
    return rendered(request, "backstage/cheatsheet.html", {})
