"""Who judges what: drawn by lot so that all have about as many, or set by hand; never where there is a conflict."""

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.core.errors import Conflict as Clash
from salon.web.events.trail import note
from salon.web.jury.domain import jurors as people
from salon.web.jury.domain.applications import to_judge
from salon.web.jury.domain.phases import MOST_SEED, is_over, locked, whole
from salon.web.jury.models import Assignment, Conflict, Juror, Phase, Review
from salon.web.people.models import User

Pair = tuple[Hashable, Hashable]


def balanced(
    applications: Sequence[Hashable],
    jurors: Sequence[Hashable],
    each: int,
    barred: set[Pair],
    kept: set[Pair],
    seed: int,
) -> set[Pair]:
    """New pairs (application, juror), so that each application has `each` jurors, `kept` pairs included, or as many as
    may judge it. No load can be made more even by handing applications on: where one juror has two more than another,
    no chain of hand-overs leads there (Harvey et al. 2003, WADS, cost-reducing paths). The same seed gives the same
    pairs."""
    rng = random.Random(seed)
    having: dict[Hashable, set[Hashable]] = defaultdict(set)
    for application, juror in kept:
        having[application].add(juror)
    load = {juror: sum(one == juror for _, one in kept) for juror in jurors}
    may = {a: [j for j in jurors if (a, j) not in barred] for a in applications}
    order = sorted(applications, key=lambda a: (len(may[a]), rng.random()))
    new: dict[Hashable, set[Hashable]] = {}
    for application in order:
        free = [juror for juror in may[application] if juror not in having[application]]
        free.sort(key=lambda juror: (load[juror], rng.random()))
        new[application] = set(free[: max(0, each - len(having[application]))])
        for juror in new[application]:
            load[juror] += 1
    while _even_out(new, having, may, load, jurors):
        pass
    return {(application, juror) for application, chosen in new.items() for juror in chosen}


def _even_out(
    new: Mapping[Hashable, set[Hashable]],
    having: Mapping[Hashable, set[Hashable]],
    may: Mapping[Hashable, list[Hashable]],
    load: dict[Hashable, int],
    jurors: Sequence[Hashable],
) -> bool:
    """One chain of hand-overs from a juror to another with at least two fewer; False if there is none."""
    handed: dict[Hashable, dict[Hashable, Hashable]] = {juror: {} for juror in jurors}
    for application, chosen in new.items():
        for giver in chosen:
            for taker in may[application]:
                if taker not in chosen and taker not in having[application]:
                    handed[giver].setdefault(taker, application)
    for start in sorted(jurors, key=lambda juror: -load[juror]):
        came: dict[Hashable, Hashable] = {start: start}
        line = [start]
        for giver in line:
            for taker in handed[giver]:
                if taker not in came:
                    came[taker] = giver
                    line.append(taker)
        end = min(line, key=lambda juror: load[juror])
        if load[start] - load[end] >= 2:
            _hand_over(new, handed, came, end)
            load[start], load[end] = load[start] - 1, load[end] + 1
            return True
    return False


def _hand_over(
    new: Mapping[Hashable, set[Hashable]],
    handed: Mapping[Hashable, Mapping[Hashable, Hashable]],
    came: Mapping[Hashable, Hashable],
    end: Hashable,
) -> None:
    while came[end] != end:
        giver = came[end]
        application = handed[giver][end]
        new[application].discard(giver)
        new[application].add(end)
        end = giver


def draw(person: User, phase_id: int, seed_text: str, anew: bool = False) -> tuple[int, int]:
    """Gives every application that waits its jurors; what is there stays, or, `anew`, what was drawn and is not judged
    yet is drawn again. Returns how many assignments were made and how many applications have too few jurors. Raises
    BadRecipe for a seed that is none, Conflict without jurors or after the round."""
    seed = whole(seed_text, 1, MOST_SEED)
    if seed is None:
        raise BadRecipe(_("The number of the draw is a whole number."), _("Take 1."))
    with transaction.atomic():
        phase = locked(phase_id)
        if is_over(phase):
            raise Clash(_("This round is over."), _("Give it a later end first."))
        active = people.active(phase.event)
        if not active:
            raise Clash(_("Nobody sits in the jury."), _("Give people the role of a juror first."))
        if anew:
            _unjudged(phase).filter(by_hand=False).delete()
        made, short = _drawn(phase, active, seed)
        phase.seed = seed
        phase.save(update_fields=["seed"])
        note(phase.event, "jury drawn", str(phase.pk), person=person, text=f"{phase.name}: {made}, seed {seed}")
        return made, short


def _drawn(phase: Phase, active: Sequence[Juror], seed: int) -> tuple[int, int]:
    waiting = list(to_judge(phase.event).values_list("pk", flat=True))
    barred = set(Conflict.objects.filter(juror__event=phase.event).values_list("submission_id", "juror_id"))
    kept = set(phase.assignments.values_list("submission_id", "juror_id")) - barred
    ids = [one.pk for one in active]
    kept = {pair for pair in kept if pair[0] in set(waiting) and pair[1] in ids}
    pairs = sorted(balanced(waiting, ids, phase.each, barred, kept, seed))
    random.Random(seed).shuffle(pairs)  # each juror's queue is in an order of its own
    _add(phase, pairs)
    having = [application for application, _juror in {*pairs, *kept}]
    return len(pairs), sum(having.count(one) < phase.each for one in waiting)


def _add(phase: Phase, pairs: Sequence[tuple[str, int]], by_hand: bool = False) -> None:
    rows = [
        Assignment(phase=phase, submission_id=application, juror_id=juror, by_hand=by_hand, place=place)
        for place, (application, juror) in enumerate(pairs, phase.assignments.count())
    ]
    Assignment.objects.bulk_create(rows)


def _unjudged(phase: Phase) -> QuerySet[Assignment]:
    judged = set(Review.objects.filter(phase=phase).values_list("submission_id", "juror_id"))
    rows = phase.assignments.values_list("pk", "submission_id", "juror_id")
    return phase.assignments.filter(pk__in=[pk for pk, *pair in rows if tuple(pair) not in judged])


def assign(person: User, phase_id: int, submission_id: str, juror_id: int) -> Assignment:
    """By hand; twice is once. Raises Conflict where there is a conflict of interest, or nothing or nobody to ask."""
    with transaction.atomic():
        phase = locked(phase_id)
        found = phase.assignments.filter(submission_id=submission_id, juror_id=juror_id).first()
        if found:
            return found
        juror = next((one for one in people.active(phase.event) if one.pk == juror_id), None)
        if juror is None or not to_judge(phase.event).filter(pk=submission_id).exists():
            raise Clash(_("This application is decided, or this juror has left."), _("Look at the page again."))
        if Conflict.objects.filter(submission_id=submission_id, juror=juror).exists():
            raise Clash(_("This juror has a conflict of interest there."), _("Take another one, or lift it."))
        _add(phase, [(submission_id, juror_id)], by_hand=True)
        note(phase.event, "juror asked", submission_id, person=person, text=f"{phase.name}: {juror}")
        return phase.assignments.get(submission_id=submission_id, juror_id=juror_id)


def take_off(person: User, phase_id: int, submission_id: str, juror_id: int) -> None:
    """By hand; twice is once. Raises Conflict once they have judged it."""
    with transaction.atomic():
        phase = locked(phase_id)
        found = phase.assignments.filter(submission_id=submission_id, juror_id=juror_id).select_related("juror").first()
        if found is None:
            return
        if phase.reviews.filter(submission_id=submission_id, juror_id=juror_id).exists():
            raise Clash(_("This juror has judged it already."), _("Note a conflict if it must not count."))
        note(phase.event, "juror not asked", submission_id, person=person, text=f"{phase.name}: {found.juror}")
        found.delete()
