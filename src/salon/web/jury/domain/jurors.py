"""Who sits in the jury. The role is given where people are; the seat is made when it is first needed."""

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import Conflict, Forbidden
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.jury.models import Assignment, Juror
from salon.web.people.models import Role, User


def seated(event: Event) -> list[Juror]:
    """Every seat, those who left included; whoever has the role and no seat is given one."""
    with transaction.atomic():
        taken = Juror.objects.filter(event=event).values("user")
        new = _with_role(event).exclude(pk__in=taken.exclude(user=None))
        if new.exists():
            Event.objects.select_for_update().get(pk=event.pk)
            _seat(event, list(new))
    return list(Juror.objects.filter(event=event).select_related("user"))


def _seat(event: Event, users: list[User]) -> None:
    top = Juror.objects.filter(event=event).aggregate(top=Max("number"))["top"] or 0
    for number, user in enumerate(users, top + 1):
        Juror.objects.get_or_create(event=event, user=user, defaults={"number": number})


def _with_role(event: Event) -> QuerySet[User]:
    reviewers = Role.objects.filter(event=event, kind=Role.Kind.REVIEWER).values("user")
    return User.objects.filter(pk__in=reviewers, is_active=True).order_by("pk")


def active(event: Event) -> list[Juror]:
    """Those who may be asked: seated, not gone, and with the role still."""
    with_role = set(_with_role(event).values_list("pk", flat=True))
    return [one for one in seated(event) if one.left_at is None and one.user_id in with_role]


def seat_of(event: Event, user: User) -> Juror:
    """The juror that this person is. Raises Forbidden for all others, organisers included."""
    found = next((one for one in active(event) if one.user_id == user.pk), None)
    if found is None:
        raise Forbidden(_("You do not sit in this jury."), _("Ask an organiser for the role of a juror."))
    return found


def _locked(event: Event, juror_id: int) -> Juror:
    found = Juror.objects.select_for_update().filter(pk=juror_id, event=event).first()
    if found is None:
        raise Conflict(_("There is no such juror."), _("Look at the jury's page again."))
    return found


def let_go(person: User, juror_id: int, counted: bool) -> int:
    """The juror leaves: what they have not judged is asked of nobody any more. What they said counts on, or not.
    Returns how many applications lost a juror."""
    with transaction.atomic():
        event = lock_current_event()
        juror = _locked(event, juror_id)
        juror.left_at, juror.counted = juror.left_at or timezone.now(), counted
        juror.save(update_fields=["left_at", "counted"])
        done = juror.reviews.values("phase", "submission")
        open_now = [
            one.pk for one in Assignment.objects.filter(juror=juror)
            if {"phase": one.phase_id, "submission": one.submission_id} not in list(done)
        ]  # fmt: skip
        Assignment.objects.filter(pk__in=open_now).delete()
        text = f"{juror}: {'counts' if counted else 'does not count'}, {len(open_now)} open"
        note(event, "juror let go", str(juror.number), person=person, text=text)
        return len(open_now)


def take_back(person: User, juror_id: int) -> None:
    """The juror sits in the jury again."""
    with transaction.atomic():
        event = lock_current_event()
        juror = _locked(event, juror_id)
        juror.left_at, juror.counted = None, True
        juror.save(update_fields=["left_at", "counted"])
        note(event, "juror taken back", str(juror.number), person=person, text=str(juror))
