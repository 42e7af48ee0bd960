"""Rounds of judging and what is scored in them."""

import math
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.core.text import tidy
from salon.web.events.domain import lock_current_event, not_archived
from salon.web.events.models import Event
from salon.web.events.times import BadTime, parse_local
from salon.web.events.trail import note
from salon.web.jury.models import Category, Phase, Score
from salon.web.people.models import User

#: ends of what a category's points may be
LOWEST, HIGHEST = -1_000, 1_000
HEAVIEST = 1_000.0
MOST_JURORS = 50
MOST_SEED = MOST_REVISION = 2**31 - 1
Wrong = dict[str, str]


def whole(text: Any, low: int, high: int) -> int | None:
    """A whole number written in digits, from `low` to `high`; None for everything else ("1e3", "NaN", "٣")."""
    said = str(text).strip()
    if not said.isascii() or not said.removeprefix("-").isdecimal() or len(said) > 10:
        return None
    return int(said) if low <= int(said) <= high else None


def weight_of(text: Any) -> float | None:
    """A weight; None for what is no number from 0 to HEAVIEST. A comma does as well as a point."""
    try:
        value = float(str(text).strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= HEAVIEST else None


def is_open(phase: Phase) -> bool:
    """Whether jurors may judge now."""
    now = timezone.now()
    return (phase.opens_at is None or phase.opens_at <= now) and not is_over(phase)


def is_over(phase: Phase) -> bool:
    return phase.closes_at is not None and phase.closes_at <= timezone.now()


def read_phase(event: Event, form: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """The form's values, and what is wrong with them by field."""
    values: dict[str, Any] = {"name": tidy(str(form.get("name", "")))[:100], "others": str(form.get("others", ""))}
    values["names_shown"] = bool(form.get("names_shown"))
    wrong: Wrong = {} if values["name"] else {"name": _("Give this round a name.")}
    for name in ("opens_at", "closes_at"):
        said = str(form.get(name, "")).strip()
        try:
            values[name] = parse_local(event, said) if said else None
        except BadTime as error:
            wrong[name] = str(error)
    if values["others"] not in Phase.Others.values:
        wrong["others"] = _("Say when jurors see what others said.")
    values["each"] = whole(form.get("each", ""), 1, MOST_JURORS)
    if values["each"] is None:
        wrong["each"] = _("A whole number from 1 to %(most)d.") % {"most": MOST_JURORS}
    opens, closes = values.get("opens_at"), values.get("closes_at")
    if opens and closes and opens >= closes:
        wrong["closes_at"] = _("It ends before it begins.")
    return values, wrong


def make(person: User, values: Mapping[str, Any]) -> Phase:
    """A new round, scored by what the last one was scored by. Raises Conflict if its name is taken."""
    with transaction.atomic():
        event = lock_current_event()
        _free(event, values["name"])
        last = event.phases.last()
        rank = (event.phases.aggregate(top=Max("rank"))["top"] or 0) + 1
        made = Phase.objects.create(event=event, rank=rank, **values)
        Category.objects.bulk_create([_copied(one, made) for one in last.categories.all()] if last else [])
        note(event, "jury phase made", str(made.pk), person=person, text=made.name)
        return made


def _copied(category: Category, phase: Phase) -> Category:
    names = ("name", "help", "low", "high", "weight", "optional", "independent", "rank")
    return Category(phase=phase, **{name: getattr(category, name) for name in names})


def _free(event: Event, name: str, own: int | None = None) -> None:
    if event.phases.filter(name=name).exclude(pk=own).exists():
        raise Conflict(_("There is a round of that name."), _("Give it another one."))


def locked(phase_id: int) -> Phase:
    """The round, its row locked until the transaction ends. Raises Conflict if it is not there (any more), or its event
    is archived."""
    found = Phase.objects.select_for_update().filter(pk=phase_id, event__current=True).first()
    if found is None:
        raise Conflict(_("This round is not there any more."), _("Look at the jury's page again."))
    not_archived(found.event)
    return found


def change(person: User, phase_id: int, values: Mapping[str, Any]) -> Phase:
    """Raises Conflict if the name is taken."""
    with transaction.atomic():
        phase = locked(phase_id)
        _free(phase.event, values["name"], phase.pk)
        before = phase.names_shown
        Phase.objects.filter(pk=phase.pk).update(**values)
        phase.refresh_from_db()
        said = "" if before == phase.names_shown else (" +names" if phase.names_shown else " -names")
        note(phase.event, "jury phase changed", str(phase.pk), person=person, text=phase.name + said)
        return phase


def remove(person: User, phase_id: int) -> None:
    """Raises Conflict once somebody has judged in it."""
    with transaction.atomic():
        phase = locked(phase_id)
        if phase.reviews.exists():
            raise Conflict(_("Jurors have judged in this round."), _("Close it instead: give it an end."))
        note(phase.event, "jury phase removed", str(phase.pk), person=person, text=phase.name)
        phase.delete()


def read_category(form: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """The form's values, and what is wrong with them by field."""
    words = (("name", 100), ("help", 300))
    values: dict[str, Any] = {name: tidy(str(form.get(name, "")))[:most] for name, most in words}
    values |= {name: bool(form.get(name)) for name in ("optional", "independent")}
    values |= {name: whole(form.get(name, ""), LOWEST, HIGHEST) for name in ("low", "high")}
    values["weight"] = weight_of(form.get("weight", ""))
    wrong: Wrong = {} if values["name"] else {"name": _("Say what is scored.")}
    for name in ("low", "high"):
        if values[name] is None:
            wrong[name] = _("A whole number from %(low)d to %(high)d.") % {"low": LOWEST, "high": HIGHEST}
    if not wrong.keys() & {"low", "high"} and values["low"] >= values["high"]:
        wrong["high"] = _("The most must be more than the least.")
    if values["weight"] is None:
        wrong["weight"] = _("A weight is a number from 0 to %(most)d; at 0 it is asked and does not count.") % {
            "most": HEAVIEST
        }
    return values, wrong


def set_category(person: User, phase_id: int, category_id: int | None, values: Mapping[str, Any]) -> Category:
    """Makes a category, or changes it. Raises Conflict if scores that were given lie outside of the new range, or the
    name is taken."""
    with transaction.atomic():
        phase = locked(phase_id)
        if phase.categories.filter(name=values["name"]).exclude(pk=category_id).exists():
            raise Conflict(_("This round scores something of that name already."), "")
        if category_id is None:
            rank = (phase.categories.aggregate(top=Max("rank"))["top"] or 0) + 1
            found = Category.objects.create(phase=phase, rank=rank, **values)
        else:
            found = _category(phase, category_id)
            outside = Score.objects.filter(category=found).exclude(value__range=(values["low"], values["high"]))
            if outside.exists():
                raise Conflict(_("Scores that were given lie outside of that range."), _("Take a wider one."))
            Category.objects.filter(pk=found.pk).update(**values)
        weighs = f"{values['name']} {values['low']}–{values['high']} × {values['weight']:g}"
        note(phase.event, "jury category set", str(phase.pk), person=person, text=weighs)
        return found


def _category(phase: Phase, category_id: int) -> Category:
    found = phase.categories.filter(pk=category_id).first()
    if found is None:
        raise BadRecipe(_("This round scores no such thing."), _("Look at its page again."))
    return found


def remove_category(person: User, phase_id: int, category_id: int) -> None:
    """Raises Conflict once somebody has scored by it."""
    with transaction.atomic():
        phase = locked(phase_id)
        found = _category(phase, category_id)
        if found.scores.exists():
            raise Conflict(_("Jurors have scored by this."), _("Give it a weight of 0: then it does not count."))
        note(phase.event, "jury category removed", str(phase.pk), person=person, text=found.name)
        found.delete()
