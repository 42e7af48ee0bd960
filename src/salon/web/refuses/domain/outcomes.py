"""What can come of a fresh picture, and the rate that follows. No outcome is ever dropped."""

from collections.abc import Iterable, Mapping
from math import ceil, floor

from django.utils.translation import gettext as _
from msgspec import Struct

from salon.stats.intervals import none_of, wilson

SEEN, UNSEEN = "seen", "unseen"
#: whether these would have shown it nobody knows: the judge cannot read it, the filter or the house keeps it back, it
#: was never drawn, two people disagree
UNREADABLE, WITHHELD, FAILED, DISPUTED = "unreadable", "withheld", "failed", "disputed"
UNKNOWN = (UNREADABLE, WITHHELD, FAILED, DISPUTED)
ALL = (SEEN, UNSEEN, *UNKNOWN)


class Rate(Struct, frozen=True):
    """`seen` of all `of` pictures that were asked for; 95% from `low` to `high`."""

    seen: int
    of: int
    low: float
    high: float

    def __str__(self) -> str:
        """The interval's ends are rounded outwards."""
        low, high = floor(100 * self.low), ceil(100 * self.high)
        words = {"seen": self.seen, "of": self.of, "low": low, "high": high}
        if self.seen == 0:
            return _("0 of %(of)d, at most %(high)d%%") % words
        return _("%(seen)d of %(of)d, interval %(low)d–%(high)d%%") % words


def rate(outcomes: Mapping[str, int]) -> Rate | None:
    """The rate of what was seen among all pictures asked for; None before anything was counted.

    Wilson's interval; for 0 of n the one-sided upper bound of `none_of`. Pictures of unknown outcome widen it: the
    lower end counts them as not showing it, the upper end as showing it."""
    of, seen = sum(outcomes.values()), outcomes.get(SEEN, 0)
    if not of:
        return None
    most = seen + sum(outcomes.get(name, 0) for name in UNKNOWN)
    high = wilson(most, of)[1] if most else none_of(of)
    return Rate(seen, of, wilson(seen, of)[0], high)


def tally(each: Iterable[str]) -> dict[str, int]:
    """How many of each outcome, in a fixed order."""
    every = list(each)
    return {name: every.count(name) for name in ALL}


def others(outcomes: Mapping[str, int]) -> list[str]:
    """The outcomes beside seen and not seen, in words."""
    words = {
        UNREADABLE: _("%(n)d could not be read by the judge"),
        WITHHELD: _("%(n)d kept back by the filter or the house"),
        FAILED: _("%(n)d never drawn"),
        DISPUTED: _("%(n)d on which the counters disagree"),
    }
    return [said % {"n": outcomes[name]} for name, said in words.items() if outcomes.get(name)]
