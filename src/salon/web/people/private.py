"""A guest's own page: who they are here, what they have in each room, what they agreed to; all of it to be taken along,
changed, or erased. These are the people's pages, so they know the page around them; the rest of the room does not."""

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web import cookies
from salon.web.codes import public_address
from salon.web.events import devices, entering, tries
from salon.web.events.pages import rendered
from salon.web.events.trail import again
from salon.web.people import consents, guests, personal, retention
from salon.web.people.models import Guest
from salon.web.sources import source_of

#: seconds that a booth remembers a guest: it is everybody's browser
AT_A_BOOTH = 900
#: times in an hour that addresses may be changed from one network
MOST_ADDRESSES = 20


def _secret(response: HttpResponse) -> HttpResponse:
    """Kept by no cache; `security_headers` sees to it that no other site is told the address."""
    response["Cache-Control"] = "no-store"
    return response


def _own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view of the guest that this browser is; others are shown how to come in."""

    def wrapped(request: HttpRequest, *arguments: Any) -> HttpResponse:
        guest = guests.guest_of(request)
        if guest is None:
            return _secret(rendered(request, "people/private_none.html", {"gone": request.GET.get("erased")}, 200))
        return _secret(view(request, guest, *arguments))

    return wrapped


def _back(done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('people:private')}?{urlencode({'done': done})}")


def _remember(request: HttpRequest, response: HttpResponse, token: str) -> HttpResponse:
    guests.remember(response, token, AT_A_BOOTH if devices.booth(request) else guests.LIFETIME)
    return _secret(response)


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """`/you/<token>`: whose page it is; once the button is pressed this browser is that guest, and the token leaves the
    address bar. Raises Forbidden."""
    wanted, now = guests.guest_of_token(token), guests.guest_of(request)
    response = HttpResponseRedirect(reverse("people:private"))
    if now == wanted:
        return _secret(response)
    if request.method == "POST":
        return _remember(request, response, token)
    return entering.shown(request, _way(request, wanted, now))


def _way(request: HttpRequest, wanted: Guest, now: Guest | None) -> entering.Way:
    """What a private link says before this browser is that guest."""
    if devices.booth(request):
        keeps = _("This is a booth: it forgets you after a quarter of an hour, and at once when you leave it.")
    else:
        keeps = _("This device then knows you by this name, until you close your page there.")
    if now:
        instead = _(
            "Until now this device is %(name)s’s. Nothing of theirs is lost, but they are known here no longer; "
            "their own private link leads back."
        ) % {"name": now.name}
    return entering.Way(
        title=_("A private page"), whose=wanted.name, button=_("Open this page"), says=[keeps],
        instead=instead if now else "",
    )  # fmt: skip


@require_safe
@_own
def home(request: HttpRequest, guest: Guest) -> HttpResponse:
    """`/you`: everything of this guest."""
    return _page(request, guest)


def _page(request: HttpRequest, guest: Guest, status: int = 200, **more: Any) -> HttpResponse:
    mine = {c.text.kind: c for c in guest.consents.filter(withdrawn_at=None).select_related("text")}
    asked = consents.asked(guest.event, get_language() or guest.language)
    context = {
        "guest": guest, "clock_of": guest.event, "panels": personal.panels(guest), "done": request.GET.get("done"),
        "erased_on": retention.due_of(guest.event).guests_on,
        "consents": [{"text": text, "given": mine.pop(text.kind, None)} for text in asked],
        "older": list(mine.values()), "typed": {}, "wrong": {}, **more,
    }  # fmt: skip
    return rendered(request, "people/private.html", context, status)


@require_POST
@_own
def details(request: HttpRequest, guest: Guest) -> HttpResponse:
    """Name, address and language, changed."""
    name, email, wrong = request.POST.get("name", ""), tidy(request.POST.get("email", ""))[:254], {}
    try:
        name = guests.name_of(name)
    except BadRecipe as error:
        wrong["name"] = str(error)
    try:
        if email:
            validate_email(email)
    except ValidationError:
        wrong["email"] = _("This does not look like an e-mail address.")
    if wrong:
        typed = {"name": name, "email": email}
        return _page(request, guest, 422, typed=typed, wrong=wrong)
    if email.casefold() not in ("", guest.email.casefold()):  # letters will go there
        tries.once_more("address", source_of(request), tries.HOUR, MOST_ADDRESSES, 50 * MOST_ADDRESSES)
    guest.name, guest.email, guest.works_stay = name, email, bool(request.POST.get("works_stay"))
    guest.save(update_fields=["name", "email", "works_stay"])
    again(guest.event, "guest changed", guest.id)
    return _back("details")


@require_safe
@_own
def data(request: HttpRequest, guest: Guest) -> HttpResponse:
    """`/you/data.json`: all that the house holds of them."""
    return as_file(guest)


def as_file(guest: Guest) -> HttpResponse:
    """Everything of a guest as a JSON file."""
    words = json.dumps(personal.everything(guest), cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    response = HttpResponse(words, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return _secret(response)


@require_POST
@_own
def consent(request: HttpRequest, guest: Guest) -> HttpResponse:
    """Agree to a text, or no longer."""
    kind, text = tidy(request.POST.get("kind", ""))[:40], request.POST.get("text", "")
    if request.POST.get("agree"):
        consents.give(guest, kind, int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None)
    else:
        consents.withdraw(guest, kind)
    return _back("consent")


@require_POST
@_own
def new_link(request: HttpRequest, guest: Guest) -> HttpResponse:
    """A new private link, shown once; the old ones, and browsers that came by them, are let in no more."""
    token = guests.renew(guest)
    again(guest.event, "link renewed", guest.id)
    link = public_address(request, reverse("people:private_link", args=[token]))
    return _remember(request, _page(request, guest, link=link), token)


@require_POST
@_own
def leave(request: HttpRequest, guest: Guest) -> HttpResponse:
    """This browser forgets whose it is; nothing else changes."""
    response = HttpResponseRedirect(reverse("people:private"))
    cookies.drop(response, guests.COOKIE)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@_own
def erase(request: HttpRequest, guest: Guest) -> HttpResponse:
    """`/you/erase`: what that means, and the press that does it. Raises BadRecipe unless it was confirmed."""
    if request.method != "POST":
        return rendered(request, "people/private_erase.html", {"guest": guest, "panels": personal.panels(guest)})
    if request.POST.get("sure") != "yes":
        raise BadRecipe(_("Nothing was erased: the tick that says that you are sure was missing."), _("Go back."))
    personal.erase(guest.id, works_stay=request.POST.get("works") == "stay")
    response = HttpResponseRedirect(f"{reverse('people:private')}?{urlencode({'erased': 1})}")
    cookies.drop(response, guests.COOKIE)
    return response
