"""`/backstage/password`: people of the house set their own password, and change it."""

from django.contrib.auth import password_validation, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from salon.core.errors import Forbidden
from salon.web.backstage import coming_in, logins
from salon.web.events import tries
from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.events.trail import note
from salon.web.people import passwords
from salon.web.people.models import User
from salon.web.people.sessions import staff


@require_http_methods(["GET", "HEAD", "POST"])
@staff
def password(request: HttpRequest) -> HttpResponse:
    """The page; by POST a password is set. The one before is asked for, unless there is none or a link or code has just
    stood for it."""
    user = User.objects.get(pk=request.user.pk)
    if user.at_booth:
        raise Forbidden(_("A booth has no password."), _("Its PIN is set under “Booths and walls”."))
    context = {
        "user": user,
        "asks": user.has_usable_password() and not coming_in.is_fresh(request),
        "rules": password_validation.password_validators_help_texts(),
        "until": request.session.get_expiry_date(),
        "first": request.GET.get("first"),
        "done": request.GET.get("done"),
    }
    if request.method != "POST":
        return rendered(request, "backstage/password.html", context)
    if wrong := _set(request, user, context["asks"]):
        return rendered(request, "backstage/password.html", context | {"wrong": wrong, "done": ""}, 422)
    return HttpResponseRedirect(f"{reverse('backstage:password')}?done=1")


def _set(request: HttpRequest, user: User, asks: bool) -> dict[str, list[str]]:
    """What is wrong, by field; nothing: it is set, and whoever was logged in as this person elsewhere is out."""
    form = request.POST
    if asks and not _knows(request, user, form.get("current", "")):
        return {"current": [_("This is not your present password.")]}
    if found := passwords.complaints(user, form.get("new", ""), form.get("again", "")):
        return {"new": found}
    passwords.keep(user, form["new"])
    update_session_auth_hash(request, user)
    note(current_event(), "password set", "", person=user)
    return {}


def _knows(request: HttpRequest, user: User, current: str) -> bool:
    """Tries count as those at the door do. Raises TooManyTries."""
    tried = logins.begin(request, user.username)
    if not user.check_password(current):
        logins.fail(user.username)
        return False
    tries.forgive(tried)
    return True
