"""The people of the house at an event: added, given roles, handed a link to come in by, let go.

Whoever organises an event decides about its people; about an account that works elsewhere, too, only its links and its
existence are left alone: a link opens everything that its holder may do."""

from collections.abc import Iterable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.engine.recipes import tidy
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.people import links, sessions
from salon.web.people.models import EntryCode, EntryLink, Role, User

ORGANISER = Role.Kind.ORGANISER


class Person(NamedTuple):
    """Somebody of the house as the page shows them; `mine` says whether one may hand them a link or shut them out."""

    user: User
    kinds: frozenset[str]
    mine: bool


def in_reach(doer: User, user: User) -> bool:
    """Whether the doer may do everything that this account may: then a link for it gives nothing away."""
    if doer.is_superuser:
        return True
    if user.is_superuser:
        return False
    own = set(Role.objects.filter(user=doer, kind=ORGANISER).values_list("event", flat=True))
    return set(Role.objects.filter(user=user).values_list("event", flat=True)) <= own


def people(event: Event, doer: User) -> list[Person]:
    """Everybody with a role at the event, and the keepers; by name."""
    found: dict[User, set[str]] = {user: set() for user in User.objects.filter(is_superuser=True)}
    for role in Role.objects.filter(event=event).select_related("user"):
        found.setdefault(role.user, set()).add(role.kind)
    ordered = sorted(found.items(), key=lambda pair: (not pair[0].is_active, str(pair[0]).casefold()))
    return [Person(user, frozenset(kinds), in_reach(doer, user)) for user, kinds in ordered]


def _kinds(wanted: Iterable[str]) -> set[str]:
    kinds = set(wanted)
    if not kinds <= set(Role.Kind.values):
        raise BadRecipe(_("There is no such role."), _("Choose among those on the page."))
    return kinds


def add(doer: User, name: str, email: str, kinds: Iterable[str]) -> User:
    """Somebody new, or an account that has this e-mail address already, with roles at the current event. Raises
    BadRecipe, Conflict."""
    clean, address, wanted = tidy(name), email.strip(), _kinds(kinds)
    if not 0 < len(clean) <= 100:
        raise BadRecipe(_("Please say the name, in at most 100 characters."), "")
    if not wanted:
        raise BadRecipe(_("Choose at least one role."), _("A role says which pages somebody may open."))
    try:
        if address:
            validate_email(address)
    except ValidationError as error:
        raise BadRecipe(_("This is no e-mail address."), _("It may be left empty.")) from error
    with transaction.atomic():
        event = lock_current_event()
        user = User.objects.filter(email__iexact=address).first() if address else None
        if user and not user.is_active:
            raise Conflict(
                _("An account with this address was shut."), _("Open it again in the list, or ask a keeper.")
            )
        if user is None:
            user = User(username=_free_name(clean), first_name=clean, email=address, is_staff=True)
            user.set_unusable_password()
            user.save()
            note(event, "person added", str(user.pk), person=doer, text=clean)
        elif not user.is_staff:
            User.objects.filter(pk=user.pk).update(is_staff=True)
        _give(event, doer, user, wanted)
        return user


def _free_name(name: str) -> str:
    base = slugify(name)[:60] or "person"
    taken = set(User.objects.filter(username__istartswith=base).values_list("username", flat=True))
    taken = {one.casefold() for one in taken}
    return next(word for n in range(1, len(taken) + 2) if (word := base if n == 1 else f"{base}-{n}") not in taken)


def _give(event: Event, doer: User, user: User, kinds: set[str]) -> None:
    now = set(Role.objects.filter(event=event, user=user).values_list("kind", flat=True))
    for kind in sorted(kinds - now):
        Role.objects.create(event=event, user=user, kind=kind)
        note(event, "role given", str(user.pk), person=doer, text=f"{user}: {kind}"[:300])


def _person(event: Event, user_id: int) -> User:
    found = User.objects.select_for_update().filter(id=user_id).first()
    if found is None or not (found.is_superuser or Role.objects.filter(user=found, event=event).exists()):
        raise Conflict(_("Nobody here has this name any more."), _("Look at the list again."))
    return found


def _check_somebody_is_left(event: Event, doer: User, user: User) -> None:
    """Under the event's lock. The keeper may leave an event without organisers: whoever holds the machine comes in
    anyhow."""
    left = Role.objects.filter(event=event, kind=ORGANISER, user__is_active=True).exclude(user=user)
    if not doer.is_superuser and not left.exists():
        raise Conflict(_("%(name)s is the last organiser here.") % {"name": user}, _("Make somebody else one first."))


def set_roles(doer: User, user_id: int, kinds: Iterable[str]) -> User:
    """These roles at the current event, and no others; none: they are no longer of this event. Raises Conflict for the
    last organiser, BadRecipe."""
    wanted = _kinds(kinds)
    with transaction.atomic():
        event = lock_current_event()
        user = _person(event, user_id)
        now = set(Role.objects.filter(event=event, user=user).values_list("kind", flat=True))
        if ORGANISER in now - wanted:
            _check_somebody_is_left(event, doer, user)
        _give(event, doer, user, wanted)
        for kind in sorted(now - wanted):
            Role.objects.filter(event=event, user=user, kind=kind).delete()
            note(event, "role taken", str(user.pk), person=doer, text=f"{user}: {kind}"[:300])
        return user


def link(doer: User, user_id: int) -> tuple[User, str]:
    """The token of a one-time link for somebody, to be handed over; earlier ones that were not used are void. Raises
    Forbidden for an account that may do more than the doer, Conflict."""
    with transaction.atomic():
        event = lock_current_event()
        user = _reached(event, doer, user_id)
        if not user.is_active:
            raise Conflict(_("This account is shut."), _("Open it again first."))
        note(event, "link made", str(user.pk), person=doer, text=str(user)[:300])
        return user, links.new_link(user)


def _reached(event: Event, doer: User, user_id: int) -> User:
    user = _person(event, user_id)
    if not in_reach(doer, user):
        raise Forbidden(
            _("%(name)s works at another event, too, or keeps this house.") % {"name": user},
            _("They come in as before; only a keeper can change this account."),
        )
    return user


def set_active(doer: User, user_id: int, active: bool) -> User:
    """Shuts an account, or opens it again; its links, codes and sessions are over. Raises Conflict for the last
    organiser and the last keeper, Forbidden for an account out of reach."""
    with transaction.atomic():
        event = lock_current_event()
        user = _reached(event, doer, user_id)
        if user.is_active == active:
            return user
        if not active:
            if Role.objects.filter(event=event, user=user, kind=ORGANISER).exists():
                _check_somebody_is_left(event, doer, user)
            keepers = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
            if user.is_superuser and not keepers.exclude(pk=user.pk).exists():
                raise Conflict(_("This is the last keeper of the house."), _("Make somebody else one first."))
        # when it is opened again, too: whatever was begun before comes in no more
        EntryLink.objects.filter(user=user, used_at=None).delete()
        EntryCode.objects.filter(user=user).delete()
        sessions.end(user)
        user.is_active = active
        user.save(update_fields=["is_active"])
        note(event, "account opened" if active else "account shut", str(user.pk), person=doer, text=str(user)[:300])
        return user
