"""Who is served next. Pure logic: no networks, no clocks, no messages.

The unit is one sample. Each turn is one network call: samples at the same model, stage and action, of as many people
as fit. A turn has a leader, and the others join if they need the same call:

* visitors take turns, whatever they ask for: ten requests of one visitor stand in that visitor's own line;
* a visitor who has just arrived leads the next turn (the first preview comes at once), at most every other turn;
* else one of the first `seats` visitors leads, the one that waited longest, so that some finish while others wait
  instead of all finishing last;
* background work runs when no visitor is there, and otherwise one sample of it every `patience` turns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(eq=False, slots=True)
class Sample:
    """One image being drawn. The runner keeps `left` (steps to go in this stage), `stage` and `state` true."""

    request: str
    index: int
    visitor: str
    model: str
    background: bool = False
    stage: int = 0
    left: int = 1
    state: Any = None

    @property
    def needs(self) -> tuple[str, int, bool]:
        """The call that would bring it on: model, stage, and whether it is the stage's finish."""
        return self.model, self.stage, self.left == 0


class Turn(NamedTuple):
    """One network call, for these samples."""

    model: str
    stage: int
    finish: bool
    samples: list[Sample]


@dataclass(slots=True)
class Line:
    """One visitor's requests, the oldest first, and when the visitor last led or shared a turn (0: never)."""

    requests: dict[str, list[Sample]] = field(default_factory=dict)
    served: int = 0
    background: bool = False

    def samples(self) -> Iterator[Sample]:
        return (sample for samples in self.requests.values() for sample in samples)


def waited(line: Line) -> int:
    """Sorts the line that was served longest ago first."""
    return line.served


class Scheduler:
    """Lines of visitors; `next` says who shares the next call. See the top of this file for the rules."""

    def __init__(
        self, capacity: int = 9, finish_capacity: int = 9, background: int = 4, seats: int = 3, patience: int = 32
    ) -> None:
        self.capacity, self.finish_capacity = capacity, finish_capacity
        self.background = min(background, capacity)
        self.seats, self.patience = seats, patience
        self._lines: dict[tuple[str, bool], Line] = {}  # in order of arrival
        self._turn = 0
        self._newcomer_led = False
        self._patience_left = patience

    def __len__(self) -> int:
        """Requests that are not done."""
        return sum(len(line.requests) for line in self._lines.values())

    def add(self, samples: list[Sample]) -> None:
        """A request: its samples, all of one visitor, behind what that visitor asked for before."""
        first = samples[0]
        line = self._lines.setdefault((first.visitor, first.background), Line(background=first.background))
        line.requests[first.request] = list(samples)

    def samples(self, request: str) -> list[Sample]:
        """The request's samples that are not done; none if it is unknown."""
        return next((line.requests[request] for line in self._lines.values() if request in line.requests), [])

    def done(self, sample: Sample) -> bool:
        """The sample is drawn. True if its request is then complete: its visitor goes to the end of the row."""
        key = (sample.visitor, sample.background)
        samples = self._lines[key].requests[sample.request]
        samples.remove(sample)
        if not samples:
            self._leave(key, sample.request)
        return not samples

    def drop(self, request: str) -> bool:
        """Nobody wants the request any more. False if it was not there."""
        for key, line in self._lines.items():
            if request in line.requests:
                self._leave(key, request)
                return True
        return False

    def _leave(self, key: tuple[str, bool], request: str) -> None:
        line = self._lines.pop(key)
        del line.requests[request]
        if line.requests:
            self._lines[key] = line  # at the end

    def next(self) -> Turn | None:
        """The next call, or None if there is nothing to do. Who is in it has been served: call it once a turn."""
        line, most = self._leader()
        if line is None:
            return None
        needs = min(next(iter(line.requests.values())), key=lambda s: (s.left == 0, s.stage)).needs
        most = min(most, self.finish_capacity) if needs[2] else most
        chosen = self._company(line, needs, most)
        self._turn += 1
        for sample in chosen:
            self._lines[sample.visitor, sample.background].served = self._turn
        return Turn(*needs, chosen)

    def _leader(self) -> tuple[Line | None, int]:
        people = [line for line in self._lines.values() if not line.background]
        others = [line for line in self._lines.values() if line.background]
        if not people or (others and self._patience_left <= 0):
            self._patience_left = self.patience
            return min(others, key=waited, default=None), 1 if people else self.background
        self._patience_left -= bool(others)
        fresh = next((line for line in people if not line.served), None)
        self._newcomer_led = fresh is not None and (not self._newcomer_led or all(not line.served for line in people))
        if fresh is not None and self._newcomer_led:
            return fresh, self.capacity
        return min([line for line in people if line.served][: self.seats], key=waited), self.capacity

    def _company(self, leader: Line, needs: tuple[str, int, bool], most: int) -> list[Sample]:
        """The leader's samples that need this call, then those of the others of the same kind, longest wait first."""
        same = [a for a in self._lines.values() if a.background == leader.background and a is not leader]
        lines = [leader, *sorted(same, key=waited)]
        return [sample for line in lines for sample in line.samples() if sample.needs == needs][:most]

    def positions(self) -> dict[str, int]:
        """For each request how many stand before it, if visitors take turns and background comes last."""
        ranked = [
            (line.background, depth, place, request)
            for place, line in enumerate(self._lines.values())
            for depth, request in enumerate(line.requests)
        ]
        return {request: position for position, (*_, request) in enumerate(sorted(ranked))}
