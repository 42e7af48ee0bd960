"""What was seen in an image, what was wanted, and whether the one holds the other: plain values and geometry."""

from math import copysign, hypot

from msgspec import Struct

Box = tuple[float, float, float, float]

#: GenEval's tolerance: boxes may overlap by this part of their sizes and still stand apart (Ghosh et al. 2023)
SLACK = 0.1


class Seen(Struct, frozen=True, kw_only=True):
    """One thing. `box` is (left, top, right, bottom) in parts of the image's side, y down, and square: its side is
    the thing's longer one. `name` is None for something that has no sure name; `colour` None for many or none."""

    box: Box
    score: float
    name: str | None = None
    colour: str | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) in parts of the side."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def size(self) -> tuple[float, float]:
        """(width, height) in parts of the side."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


class Verdict(Struct, frozen=True, kw_only=True):
    """What an image shows. An image that cannot be read (`readable` False: a blur, noise) shows nothing.

    `things` come with the surest first; `place` is "plain COLOUR", "at PLACE" or "land LANDSCAPE"; `light` is told of
    landscapes only, `presentation`, `tone` and `country` of people only: they say which of the world's drawings this
    looks like, and are no judgement of a person. `sure` holds the probability behind each word."""

    readable: bool
    things: tuple[Seen, ...] = ()
    style: str | None = None
    place: str | None = None
    light: str | None = None
    presentation: str | None = None
    tone: str | None = None
    country: str | None = None
    sure: dict[str, float] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How many of each name."""
        found: dict[str, int] = {}
        for thing in self.things:
            if thing.name is not None:
                found[thing.name] = found.get(thing.name, 0) + 1
        return found

    def surest(self, name: str) -> Seen | None:
        """The surest thing of that name."""
        return max((t for t in self.things if t.name == name), key=lambda t: t.score, default=None)

    def said(self) -> str:
        """In one line, for people."""
        if not self.readable:
            return "nothing that can be read"
        things = [f"{t.colour or ''} {t.name or 'something'}".strip() for t in self.things]
        counted = [f"{things.count(t)} x {t}" if things.count(t) > 1 else t for t in dict.fromkeys(things)]
        place = (self.place or "").replace("land ", "")
        whole = [self.style, place, self.light if (self.place or "").startswith("land ") else None]
        return "; ".join(filter(None, [", ".join(counted), ", ".join(filter(None, whole))]))


class Want(Struct, frozen=True, kw_only=True):
    """A thing asked for: at least one, or exactly `count`; in a colour, if one was asked for."""

    name: str
    count: int | None = None
    colour: str | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """All that a prompt asks for. `relation` holds of the first two things."""

    things: tuple[Want, ...] = ()
    relation: str | None = None
    style: str | None = None
    place: str | None = None
    light: str | None = None


def relations(first: Seen, second: Seen) -> set[str]:
    """How the first lies to the second: of "left of", "right of", "above", "below", or none where they coincide.

    GenEval's rule (`relative_position` of its evaluate_images.py): the distance of the centres on each axis, less a
    tenth of both sizes, counts if it is more than half of the whole distance of the centres. So a thing to the upper
    left can be both above and to the left, and two that lie close are neither."""
    apart = [one - other for one, other in zip(first.centre, second.centre)]
    free = [max(0.0, abs(gap) - SLACK * (one + other)) for gap, one, other in zip(apart, first.size, second.size)]
    if max(free) < 1e-3:
        return set()
    across, down = (copysign(part, gap) / hypot(*apart) for part, gap in zip(free, apart))
    rules = {"left of": across < -0.5, "right of": across > 0.5, "above": down < -0.5, "below": down > 0.5}
    return {word for word, holds in rules.items() if holds}


def check(verdict: Verdict, wanted: Wanted) -> dict[str, bool]:
    """Each requirement, in words, and whether it is met. An image that cannot be read meets none."""
    found: dict[str, bool] = {}
    counts = verdict.counts
    for want in wanted.things:
        if want.count is None:
            found[want.name] = counts.get(want.name, 0) > 0
        else:
            found[f"{want.count} x {want.name}"] = counts.get(want.name, 0) == want.count
        if want.colour:
            surest = verdict.surest(want.name)
            found[f"{want.name} is {want.colour}"] = surest is not None and surest.colour == want.colour
    if wanted.relation:
        first, second = (verdict.surest(want.name) for want in wanted.things[:2])
        lies = first is not None and second is not None and wanted.relation in relations(first, second)
        found[wanted.relation] = lies
    for field in ("style", "place", "light"):
        word = getattr(wanted, field)
        if word is not None:
            found[f"{field}: {word}"] = getattr(verdict, field) == word
    return {name: met and verdict.readable for name, met in found.items()}


def passes(verdict: Verdict, wanted: Wanted) -> bool:
    """Whether every requirement is met."""
    return all(check(verdict, wanted).values())
