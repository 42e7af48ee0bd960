"""The leaderboard: Bradley-Terry ratings out of the rows, with intervals clustered by voter, from the first vote on."""

from collections import Counter
from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from msgspec import Struct

from salon.core import cells
from salon.engine.client import ModelInfo
from salon.stats.bootstrap import clustered_rate
from salon.stats.bradley_terry import Fit, fit
from salon.stats.intervals import wilson
from salon.web.arena.domain.players import DIGITS, Player, player_of
from salon.web.arena.models import Battle, Winner
from salon.web.events.models import Event
from salon.web.station.domain.machines import after

COLUMNS = ("battle", "voter", "model_a", "weights_a", "model_b", "weights_b", "prompt", "winner")


class Vote(Struct, frozen=True):
    """One vote without its person: voters are numbered by their first vote."""

    battle: int
    voter: int
    model_a: str
    weights_a: str
    model_b: str
    weights_b: str
    prompt: str
    winner: str
    family_a: str
    family_b: str

    @property
    def a(self) -> str:
        return Player(self.model_a, self.weights_a).key

    @property
    def b(self) -> str:
        return Player(self.model_b, self.weights_b).key


def votes(event: Event) -> list[Vote]:
    """All that count, in their order. Visitors' own words are not among them: `prompt` is empty then."""
    rows = Battle.objects.filter(event=event).exclude(winner="").order_by("voted_at", "id")
    fields = ("model_a", "weights_a", "model_b", "weights_b", "prompt", "winner", "family_a", "family_b")
    numbers: dict[str, int] = {}
    return [
        Vote(number, numbers.setdefault(visitor, len(numbers) + 1), *rest)
        for number, (visitor, *rest) in enumerate(rows.values_list("visitor", *fields), 1)
    ]


def as_csv(event: Event) -> str:
    """The votes as CSV, one a line."""
    return "".join(cells.lines(as_rows(event), COLUMNS))


def as_rows(event: Event) -> list[dict[str, Any]]:
    """The votes as JSON's objects."""
    return [{name: getattr(vote, name) for name in COLUMNS} for vote in votes(event)]


#: the last leaderboard and what it was made from: at 10,000 votes one takes a quarter of a second
_kept: tuple[object, dict[str, Any]] = (None, {})


def board(event: Event, models: Sequence[ModelInfo] = ()) -> dict[str, Any]:
    """The answer of `/arena/leaderboard.json`. `models` stand on it even before their first battle. Ends of intervals
    are None where there is none. Not to be changed: it is kept until a vote comes in."""
    global _kept
    rows = Battle.objects.filter(event=event)
    counts = rows.aggregate(votes=Count("voted_at"), newest=Max("voted_at"), void=Count("id", filter=~Q(void="")))
    made_from = (event.id, *counts.values(), [player_of(model) for model in models], settings.SALON_ARENA_CAP)
    if _kept[0] != made_from:
        _kept = made_from, _board(event, models)
    return _kept[1]


def _board(event: Event, models: Sequence[ModelInfo]) -> dict[str, Any]:
    cast = votes(event)
    decided = [(vote.a, vote.b, vote.winner, vote.voter) for vote in cast if vote.winner != Winner.BOTH_BAD]
    entrants = {player_of(model).key: (model.name, model.weights_sha256, model.family) for model in models}
    for vote in cast:
        entrants.setdefault(vote.a, (vote.model_a, vote.weights_a, vote.family_a))
        entrants.setdefault(vote.b, (vote.model_b, vote.weights_b, vote.family_b))
    found = fit(decided, names=entrants, cap=settings.SALON_ARENA_CAP)
    return {
        "votes": len(cast),
        "voters": len({vote.voter for vote in cast}),
        "void": dict(Battle.objects.filter(event=event).exclude(void="").values_list("void").annotate(Count("id"))),
        "side": _side(decided),
        "components": [_component(names, found, entrants, cast) for names in found.components],
    }


def _side(decided: Sequence[tuple[str, str, str, int]]) -> dict[str, Any]:
    """How often the left picture wins where one wins: sides are drawn by lot, so one half is fair."""
    by_voter: dict[int, list[bool]] = {}
    for _a, _b, winner, voter in decided:
        if winner != Winner.TIE:
            by_voter.setdefault(voter, []).append(winner == Winner.A)
    looks = list(by_voter.values())
    if not looks:
        return {"share": None, "share_q025": 0.0, "share_q975": 1.0}
    low, high = clustered_rate(looks) if len(looks) > 1 else (0.0, 1.0)
    return {"share": sum(map(sum, looks)) / sum(map(len, looks)), "share_q025": low, "share_q975": high}


def _component(
    names: Sequence[str], found: Fit, entrants: dict[str, tuple[str, str, str]], cast: Sequence[Vote]
) -> list[dict[str, Any]]:
    """The machines that can be compared with each other, best first."""
    shared = Counter(entrants[name][0] for name in entrants)
    rows = [_machine(name, found, entrants[name], shared, cast) for name in names]
    return sorted(rows, key=lambda row: (-row["rating"], row["name"]))


def _machine(
    key: str, found: Fit, entrant: tuple[str, str, str], shared: Counter[str], cast: Sequence[Vote]
) -> dict[str, Any]:
    name, weights, family = entrant
    mine = [vote for vote in cast if key in (vote.a, vote.b)]
    bad = sum(vote.winner == Winner.BOTH_BAD for vote in mine)
    ends = found.intervals()[key]
    low, high = wilson(bad, len(mine))
    return {
        "name": name,
        "weights": weights[:DIGITS],
        #: two of the same name are told apart by their weights
        "twin": shared[name] > 1,
        "family": family,
        "after": after(family),
        "rating": round(found.ratings()[key], 6),
        "rating_q025": round(ends[0], 6) if ends[0] > -inf else None,
        "rating_q975": round(ends[1], 6) if ends[1] < inf else None,
        "votes": len(mine),
        "voters": len({vote.voter for vote in mine}),
        "both_bad": bad,
        "both_bad_share": bad / len(mine) if mine else None,
        "both_bad_q025": low,
        "both_bad_q975": high,
        "penalised": key in found.separated,
    }


def told_apart(component: Sequence[dict[str, Any]]) -> bool:
    """Whether any two intervals do not overlap."""
    known = [row for row in component if row["rating_q025"] is not None]
    return any(one["rating_q025"] > other["rating_q975"] for one in known for other in known)


def verdict(found: dict[str, Any]) -> str:
    """One sentence on how much can be said by now."""
    if not found["votes"]:
        return _("Nobody has voted yet. Yours would be the first.")
    if found["voters"] == 1:
        return _("Too early to tell: one visitor has voted, and how far people differ cannot be seen in one.")
    said = ngettext("%(count)d visitor", "%(count)d visitors", found["voters"]) % {"count": found["voters"]}
    if any(map(told_apart, found["components"])):
        return _("%(visitors)s have voted. Machines whose lines do not overlap can be told apart.") % {"visitors": said}
    return _("Too early to tell: %(visitors)s have voted, and all lines still overlap.") % {"visitors": said}


def finite(rows: Sequence[dict[str, Any]]) -> list[float]:
    """All ends of intervals, and ratings, that are numbers."""
    names = ("rating", "rating_q025", "rating_q975")
    return [row[name] for row in rows for name in names if row[name] is not None and isfinite(row[name])]
