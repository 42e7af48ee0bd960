"""The leaderboard: Bradley-Terry ratings out of the rows, with intervals clustered by voter, from the first vote on.
What it says of who is better holds for people who look at it all evening (`salon.stats.places`)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, isfinite
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, Max, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from msgspec import Struct

from salon.core import cells
from salon.engine.client import ModelInfo
from salon.stats.bradley_terry import Fit, fit
from salon.stats.clustered import clustered_rate
from salon.stats.places import ERROR, always, apart, places, spread_of
from salon.stats.planning import looks_needed
from salon.web.arena.domain.players import DIGITS, Player, player_of
from salon.web.arena.models import Battle, Winner
from salon.web.events.models import Event
from salon.web.station.domain.machines import after

#: more visitors than this are hardly ever to be had
MANY = 100_000
#: undecided neighbours on the page
SHOWN = 8
COLUMNS = ("battle", "voter", "model_a", "weights_a", "model_b", "weights_b", "prompt", "winner")


class Vote(Struct, frozen=True):
    """One vote without its person: voters are numbered by their first vote. Strangers are one voter together: whoever
    throws their ticket away and votes again is nobody new."""

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
    voter = Case(When(known=True, then=F("visitor")), default=Value(""))
    fields = ("model_a", "weights_a", "model_b", "weights_b", "prompt", "winner", "family_a", "family_b")
    numbers: dict[str, int] = {}
    return [
        Vote(number, numbers.setdefault(visitor, len(numbers) + 1), *rest)
        for number, (visitor, *rest) in enumerate(rows.values_list(voter, *fields), 1)
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
    counts = rows.aggregate(
        votes=Count("voted_at"), newest=Max("voted_at"), void=Count("id", filter=~Q(void="")),
        voters=Count("visitor", distinct=True),  # whoever takes votes along from a booth becomes one voter with them
    )  # fmt: skip
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
    found, tallies = fit(decided, names=entrants, cap=settings.SALON_ARENA_CAP), _tallies(cast)
    return {
        "votes": len(cast),
        "voters": len({vote.voter for vote in cast}),
        "strangers": Battle.objects.filter(event=event, known=False).exclude(winner="").count(),
        "void": dict(Battle.objects.filter(event=event).exclude(void="").values_list("void").annotate(Count("id"))),
        "side": _side(decided),
        "components": [_component(names, found, entrants, tallies) for names in found.components],
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
    low, high = clustered_rate(looks)
    return {"share": sum(map(sum, looks)) / sum(map(len, looks)), "share_q025": low, "share_q975": high}


class Tally(Struct):
    """What was said of one machine: how many votes, and by voter which of them found both bad."""

    votes: int = 0
    bad: dict[int, list[bool]] = {}

    def add(self, vote: Vote) -> None:
        """One more."""
        self.votes += 1
        self.bad.setdefault(vote.voter, []).append(vote.winner == Winner.BOTH_BAD)


def _tallies(cast: Sequence[Vote]) -> dict[str, Tally]:
    found: dict[str, Tally] = defaultdict(Tally)
    for vote in cast:
        found[vote.a].add(vote)
        found[vote.b].add(vote)
    return found


def _component(
    names: Sequence[str], found: Fit, entrants: dict[str, tuple[str, str, str]], tallies: dict[str, Tally]
) -> list[dict[str, Any]]:
    """The machines that can be compared with each other, best first. One of which nothing is known yet, or only by one
    visitor, has no place, and takes none from the others."""
    shared = Counter(entrants[name][0] for name in entrants)
    ratings, ends, ever = found.ratings(), found.intervals(), always(found)
    order = sorted(names, key=lambda name: (-round(ratings[name], 6), entrants[name][0]))
    rows = {
        name: _machine(entrants[name], shared, tallies.get(name, Tally()), ratings[name], ends[name], ever[name])
        | {"place_best": None, "place_worst": None, "to_next": None, "penalised": name in found.separated}
        for name in order
    }
    known = [name for name in order if isfinite(ends[name][0])]
    told = apart(found, known)
    voters = len({voter for name in known for voter in tallies[name].bad})
    for name, place in zip(known, places(told)):
        rows[name] |= {"place_best": place.best, "place_worst": place.worst}
    for at, two in enumerate(pairwise(known)):
        rows[two[0]]["to_next"] = _to_next(found, two, bool(told[at, at + 1]), len(known), voters)
    return [*rows.values()]


def _to_next(found: Fit, two: tuple[str, str], known: bool, machines: int, voters: int) -> dict[str, Any]:
    """Whether a machine is told apart from the next; if not, about how many more visitors (None: hardly ever) it takes,
    provided the two differ as much as it seems."""
    gap, error, looks = spread_of(found, *two)
    needed = None if known else looks_needed(gap, error, looks, ERROR / (machines * (machines - 1) / 2))
    more = None if needed is None else _rounded(max(1.0, voters * (needed / looks - 1)))
    return {"apart": known, "more_voters": more if more is not None and more <= MANY else None}


def _rounded(number: float) -> int:
    """Upwards to two digits."""
    step = 10 ** max(0, len(str(int(number))) - 2)
    return ceil(number / step) * step


def _machine(
    entrant: tuple[str, str, str],
    shared: Counter[str],
    tally: Tally,
    rating: float,
    ends: tuple[float, float],
    ever: tuple[float, float],
) -> dict[str, Any]:
    name, weights, family = entrant
    bad = sum(map(sum, tally.bad.values()))
    low, high = clustered_rate([*tally.bad.values()]) if tally.votes else (0.0, 1.0)
    return {
        "name": name,
        "weights": weights[:DIGITS],
        #: two of the same name are told apart by their weights
        "twin": shared[name] > 1,
        "family": family,
        "after": after(family),
        "rating": round(rating, 6),
        #: right at one look
        "rating_q025": _end(ends[0]),
        "rating_q975": _end(ends[1]),
        #: right at all looks, which is what the page draws
        "rating_low": _end(ever[0]),
        "rating_high": _end(ever[1]),
        "votes": tally.votes,
        "voters": len(tally.bad),
        "both_bad": bad,
        "both_bad_share": bad / tally.votes if tally.votes else None,
        "both_bad_q025": low,
        "both_bad_q975": high,
    }


def _end(value: float) -> float | None:
    return round(value, 6) if isfinite(value) else None


def placed(component: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of which enough is known for a place."""
    return [row for row in component if row["place_best"] is not None]


def told_apart(component: Sequence[dict[str, Any]]) -> int:
    """How many pairs of machines can be told apart."""
    known = placed(component)
    return sum(len(known) - row["place_worst"] for row in known)


def undecided(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Neighbours that cannot be told apart yet, and how many more visitors that may take (None: hardly ever); the first
    `SHOWN`, those nearest to a decision first."""
    pairs = [
        {"one": one, "other": other, "more": one["to_next"]["more_voters"]}
        for component in found["components"]
        for one, other in pairwise(placed(component))
        if not one["to_next"]["apart"]
    ]
    return sorted(pairs, key=lambda pair: (pair["more"] is None, pair["more"] or 0))[:SHOWN]


def verdict(found: dict[str, Any]) -> str:
    """One sentence on how much can be said by now."""
    if not found["votes"]:
        return _("Nobody has voted yet. Yours would be the first.")
    if found["voters"] == 1:
        return _("Too early to tell: one visitor has voted, and how far people differ cannot be seen in one.")
    said = ngettext("%(count)d visitor", "%(count)d visitors", found["voters"]) % {"count": found["voters"]}
    if pairs := sum(map(told_apart, found["components"])):
        return ngettext(
            "%(visitors)s have voted, and %(pairs)d pair of machines can be told apart.",
            "%(visitors)s have voted, and %(pairs)d pairs of machines can be told apart.",
            pairs,
        ) % {"visitors": said, "pairs": pairs}
    return _("Too early to tell: %(visitors)s have voted, and no two machines can be told apart yet.") % {
        "visitors": said
    }


def finite(rows: Sequence[dict[str, Any]]) -> list[float]:
    """All ends of intervals, and ratings, that are numbers."""
    names = ("rating", "rating_low", "rating_high")
    return [row[name] for row in rows for name in names if row[name] is not None and isfinite(row[name])]
