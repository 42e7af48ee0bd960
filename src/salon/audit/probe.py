"""A probe: one small TOML file that says, before anything is drawn, what is asked and what would count as a finding."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from salon.core.errors import SalonError
from salon.core.hashing import content_hash
from salon.core.recipe import MAX_PROMPT, MAX_SEED
from salon.core.text import tidy

FOLDER = Path(__file__).with_name("probes")
MAX_BYTES = 200_000
WRITE = "docs/audit.md shows what a probe holds."

Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Line = Annotated[str, Meta(min_length=1, max_length=2_000)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Measure = Literal["world", "memorisation", "embedding"]
#: what each measure finds in an image
FIELDS: dict[str, tuple[str, ...]] = {
    "world": ("presentation", "tone", "things"),
    "memorisation": ("copied",),
    "embedding": ("nearness",),
}


class ProbeError(SalonError):
    """A probe that cannot be run as it is written."""

    code = "probe"


class Contrast(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Images of each value of the slot `compare` are set against those of its control values, or of all others, at the
    same seeds and the same values of every other slot; once for each value of the slots in `within`. An outcome more
    frequent by `margin` (with direction "either": or less) is worth telling, if it is not chance."""

    compare: Word
    field: str
    outcomes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)]
    within: tuple[Word, ...] = ()
    against: Literal["controls", "others"] = "controls"
    direction: Literal["more", "either"] = "more"
    margin: Share


class Training(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which training pictures a memorisation probe looks through: the first `scenes` of the clean or flawed world."""

    world: Literal["clean", "flawed"]
    scenes: Annotated[int, Meta(ge=500, le=100_000)]


class Asked(NamedTuple):
    """One prompt: its text, and the place of its value in each slot."""

    text: str
    values: tuple[int, ...]


class Probe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See docs/audit.md. `slots` are in the order in which the file gives them. With a `baseline` it is the departure
    from that model, at the same prompts and seeds, that must not depend on the cell."""

    name: Word
    title: Line
    hypothesis: Line
    about: str = ""
    measure: Measure = "world"
    template: Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT)]
    slots: dict[Word, Annotated[tuple[str, ...], Meta(max_length=10_000)]]
    controls: dict[Word, tuple[str, ...]] = {}
    seeds: Annotated[int, Meta(ge=2, le=10_000)]
    first_seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] = 0
    models: tuple[str, ...] = ()
    baseline: str = ""
    contrasts: Annotated[tuple[Contrast, ...], Meta(min_length=1, max_length=50)]
    correction: Literal["benjamini-hochberg", "holm"] = "benjamini-hochberg"
    level: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    training: Training | None = None
    options: dict[str, float | int | str] = {}

    @property
    def hash(self) -> str:
        """SHA-256 of all that the probe says."""
        return content_hash(self)

    @property
    def number(self) -> int:
        """How many prompts; counted, not made."""
        return prod(len(values) for values in self.slots.values())

    @property
    def images(self) -> int:
        """How many images, the baseline's too."""
        return self.number * self.seeds * (2 if self.baseline else 1)

    @property
    def seed_range(self) -> range:
        """The seeds, the same for every prompt."""
        return range(self.first_seed, self.first_seed + self.seeds)

    def prompts(self) -> Iterator[Asked]:
        """Every combination of the slots' values, the last slot changing fastest."""
        for places in product(*(range(len(values)) for values in self.slots.values())):
            said = {slot: self.slots[slot][place] for slot, place in zip(self.slots, places, strict=True)}
            yield Asked(tidy(self.template.format(**said)), places)

    def control(self, slot: str) -> tuple[int, ...]:
        """Places of the slot's control values."""
        return tuple(self.slots[slot].index(value) for value in self.controls.get(slot, ()))


def shipped() -> list[str]:
    """Names of the probes that come with the house."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_probe(name: str | Path) -> Probe:
    """A shipped probe by its name, or one's own by its path. Raises ProbeError with what to change."""
    path = FOLDER / f"{name}.toml" if str(name) in shipped() else Path(name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProbeError(f"{path.name} is larger than {MAX_BYTES // 1000} kB.", "A probe is a small text file.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        known = f"Shipped probes: {', '.join(shipped())}; or give the path of a .toml file."
        raise ProbeError(f"There is no probe {str(name)!r} ({error.strerror}).", known) from error
    except ValueError as error:
        raise ProbeError(f"{str(name)!r} is not text in UTF-8.", WRITE) from error
    return parse_probe(text, path.name)


def parse_probe(text: str, name: str = "the probe") -> Probe:
    """A probe from TOML. Raises ProbeError."""
    try:
        return check_probe(msgspec.convert(_tidied(tomllib.loads(text)), type=Probe))
    except tomllib.TOMLDecodeError as error:
        raise ProbeError(f"{name} is not TOML: {error}.", "Correct that line.") from error
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProbeError(f"{name} cannot be read: {error}.", WRITE) from error


def _tidied(value: Any) -> Any:
    """The same words whatever their white space or Unicode form."""
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, Mapping):
        return {key: _tidied(inner) for key, inner in value.items()}
    return [_tidied(inner) for inner in value] if isinstance(value, list) else value


def check_probe(probe: Probe) -> Probe:
    """The probe itself, if what it says fits together. Raises ProbeError."""
    _check_slots(probe)
    _check_controls(probe)
    for contrast in probe.contrasts:
        _check_contrast(probe, contrast)
    if probe.first_seed + probe.seeds - 1 > MAX_SEED:
        raise ProbeError(f"There are no seeds beyond {MAX_SEED}.", "Lower first_seed.")
    if probe.baseline and probe.measure == "embedding":
        raise ProbeError("Nearness is measured inside one model: it has no baseline.", "Take it out.")
    if (probe.training is not None) != (probe.measure == "memorisation"):
        raise ProbeError("A probe has [training] if its measure is memorisation, and only then.", WRITE)
    return probe


def _named(template: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ProbeError(f"The template cannot be read: {error}.", 'Write it as in "a {job} in {place}".') from error
    if any(spec or turned for _, _, spec, turned in parts):
        raise ProbeError("A slot in the template is a name in braces and nothing else.", "Remove what follows it.")
    return [name for _, name, _, _ in parts if name is not None]


def _check_slots(probe: Probe) -> None:
    named = _named(probe.template)
    if not probe.slots:
        raise ProbeError("The probe has no slots: there is nothing to compare.", "Add [slots] with their values.")
    if missing := set(named) - set(probe.slots):
        raise ProbeError(f"The template names {{{min(missing)}}}, which is no slot.", "Add it under [slots].")
    if unused := set(probe.slots) - set(named):
        raise ProbeError(f"The slot {min(unused)} is not in the template.", f"Write {{{min(unused)}}} where it goes.")
    for slot, values in probe.slots.items():
        if not any(values):
            raise ProbeError(f"The slot {slot} is empty.", "Give it values, or take it out of the template.")
        folded = [value.casefold() for value in values]
        if twice := [value for value, key in zip(values, folded, strict=True) if folded.count(key) > 1]:
            raise ProbeError(f"The slot {slot} holds {twice[0]!r} more than once.", "Name each value once.")
    longest = len(probe.template) + sum(max(map(len, values)) for values in probe.slots.values())
    if longest > MAX_PROMPT:
        raise ProbeError(f"Prompts would have up to {longest} characters; {MAX_PROMPT} can be read.", "Say less.")


def _check_controls(probe: Probe) -> None:
    for slot, values in probe.controls.items():
        if slot not in probe.slots:
            raise ProbeError(f"There are controls of {slot}, which is no slot.", "Correct its name.")
        if strange := [value for value in values if value not in probe.slots[slot]]:
            raise ProbeError(f"The control {strange[0]!r} is no value of the slot {slot}.", "Add it there, too.")
        if len(set(values)) < len(values):
            raise ProbeError(f"A control of {slot} is named twice.", "Name each once.")


def _check_contrast(probe: Probe, contrast: Contrast) -> None:
    used = (contrast.compare, *contrast.within)
    if strange := [slot for slot in used if slot not in probe.slots]:
        raise ProbeError(f"A contrast speaks of {strange[0]}, which is no slot.", "Correct its name.")
    if len(set(used)) < len(used):
        raise ProbeError("A contrast names a slot twice.", "A slot is compared, or kept apart (within), not both.")
    if contrast.field not in FIELDS[probe.measure]:
        known = ", ".join(FIELDS[probe.measure])
        raise ProbeError(f"The measure {probe.measure} finds no {contrast.field!r}.", f"It finds: {known}.")
    if len(set(contrast.outcomes)) < len(contrast.outcomes):
        raise ProbeError("A contrast names an outcome twice.", "Name each once.")
    if contrast.field == "nearness":
        return _check_marks(probe, contrast)
    if contrast.against == "controls" and not probe.controls.get(contrast.compare):
        raise ProbeError(f"{contrast.compare} is compared with its controls, and there are none.",
                         'Name some under [controls], or write against = "others".')  # fmt: skip
    if len(probe.slots[contrast.compare]) < 2:
        raise ProbeError(f"The slot {contrast.compare} has one value only: nothing to compare.", "Add another.")
    return None


def _check_marks(probe: Probe, contrast: Contrast) -> None:
    """Embeddings: the control is the unmarked prompt, the outcomes are two marks."""
    values, unmarked = probe.slots[contrast.compare], probe.controls.get(contrast.compare, ())
    if len(contrast.outcomes) != 2 or len(unmarked) != 1 or not set(contrast.outcomes) <= set(values) - set(unmarked):
        raise ProbeError("Nearness compares one unmarked value (its control) with two marks (its outcomes).", WRITE)
