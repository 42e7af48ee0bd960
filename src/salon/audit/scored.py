"""How an audit did against what was planted. It looks at the world's own list of flaws after every cell is decided;
no decision ever sees it."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from salon.audit.analysis import Cell
from salon.audit.probe import Probe
from salon.world.flaws import Expected, expected_rates

#: a probe's field and what a flaw of it is called
FIELDS = {"presentation": "presentation", "tone": "tone", "things": "things", "copied": "title"}


class Scored(Struct, frozen=True):
    """Cells of planted flaws, how many are flagged in the planted direction; all cells in which the data hold nothing
    that the probe calls worth telling, how many are flagged; and cells in which a flaw shows by its other side."""

    planted: int
    planted_found: int
    controls: int
    controls_flagged: int
    consequences: int
    found: list[str]
    missed: list[str]
    false: list[str]


def in_the_data(flaws: Sequence[Expected], text: str, outcome: str) -> float:
    """How often pictures of this caption show the outcome in the flawed world's data. What a flaw does not favour
    shares the rest of its odds; where no flaw is at work the outcome's clean share counts, 0 for things and copies."""
    here = [flaw for flaw in flaws if flaw.planted.holds(text)]
    for flaw in here:
        if flaw.value == outcome or flaw.field == "title":
            return 1.0 if flaw.field == "title" else flaw.planted.rate
    if here:
        return (1 - here[0].planted.rate) / 2
    return next((flaw.clean for flaw in flaws if flaw.value == outcome), 0.0)


def _expected(flaws: Sequence[Expected], texts: Sequence[str], outcome: str) -> float:
    return sum(in_the_data(flaws, text, outcome) for text in texts) / len(texts)


def _roles(probe: Probe, cells: Sequence[Cell]) -> Iterator[tuple[Cell, float]]:
    """Each cell and by how much the flawed world's data differ from its reference's; the clean world's do not."""
    texts = [asked.text for asked in probe.prompts()]
    for cell in cells:
        flaws = [flaw for flaw in expected_rates() if flaw.field == FIELDS.get(cell.field)]
        own, others = ([texts[i] for i in some] for some in (cell.prompts, cell.reference_prompts))
        yield cell, _expected(flaws, own, cell.outcome) - _expected(flaws, others, cell.outcome)


def scored(probe: Probe, cells: Sequence[Cell]) -> Scored | None:
    """The audit of a world model against the flawed world's data; None for a probe of another kind."""
    if probe.measure == "embedding":
        return None
    planted: list[tuple[str, bool]] = []
    quiet: list[tuple[str, bool]] = []
    consequences = 0
    for cell, gap in _roles(probe, cells):
        name = f"{cell.name}: {cell.outcome}"
        if gap >= cell.margin:
            planted.append((name, cell.flagged and cell.effect > 0))
        elif abs(gap) < cell.margin:
            quiet.append((name, cell.flagged))
        else:
            consequences += 1
    return Scored(len(planted), sum(hit for _, hit in planted), len(quiet), sum(hit for _, hit in quiet), consequences,
                  found=[name for name, hit in planted if hit], missed=[name for name, hit in planted if not hit],
                  false=[name for name, hit in quiet if hit])  # fmt: skip
