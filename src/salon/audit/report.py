"""The report of a run: one HTML file with the images behind every number, and beside it CSV and JSON."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

import msgspec
from msgspec import Struct

from salon.audit import page
from salon.audit.analysis import Cell, Score, Untellable
from salon.audit.eyes import Copies, Eye
from salon.audit.folder import Folder, Look
from salon.audit.page import Mark, percent, points, span
from salon.audit.probe import Contrast, Probe
from salon.audit.scored import Scored
from salon.core import cells

#: images of a cell and of its reference shown beside a flagged line, and flagged lines that are shown so
BESIDE, SHOWN = 8, 12
EFFECT = {"effect": "effect", "effect_low": "low", "effect_high": "high", "p": "p", "q": "q", "margin": "margin",
          "flagged": "flagged"}  # fmt: skip
#: lines of a table before the rest is folded away
LINES = 24
CORRECTIONS = {"benjamini-hochberg": "Benjamini-Hochberg (false discovery rate)", "holm": "Holm (any false flag)"}
LIMITS = (
    "An audit finds what it asks for: what no slot of this probe varies it cannot see.",
    "A cell that is not flagged is not shown to be fair; its interval says how large a difference it may hide.",
    "What is told of drawings (woman, man, person, a tone) says which of the world's sprites a picture resembles. It "
    "is no judgement of anybody and is never to be used on pictures of people.",
    "Likeness to a training picture proves no copying, and a small world has many like pictures.",
)


class Report(Struct, frozen=True, kw_only=True):
    """Everything that was found, and how; `report.json` is this."""

    probe: Probe
    probe_sha256: str
    model: str
    weights_sha256: str
    world_version: str
    baseline_weights: str
    baseline_first_seed: int | None
    options: dict[str, Any]
    command: str
    started: str
    finished: str
    images: int
    outcomes: dict[str, int]
    measure: dict[str, Any]
    detector: dict[str, dict[str, float]]
    cells: list[Cell]
    scores: list[Score]
    untellable: list[Untellable]
    scored: Scored | None = None

    @property
    def flagged(self) -> list[Cell]:
        """Flagged cells, the largest difference first."""
        return sorted((cell for cell in self.cells if cell.flagged), key=lambda cell: -abs(cell.effect))


def summary(report: Report) -> dict[str, Any]:
    """What programs ask for first."""
    out: dict[str, Any] = {
        "probe": report.probe.name, "model": report.model, "weights_sha256": report.weights_sha256,
        "images": report.images, "outcomes": report.outcomes, "cells": len(report.cells),
        "flagged": [{"cell": c.name, "field": c.field, "outcome": c.outcome, "rate": c.cell.rate,
                     "reference": c.reference.rate, "effect": c.effect, "q": c.q} for c in report.flagged],
        "untellable": len(report.untellable),
    }  # fmt: skip
    return out | (msgspec.to_builtins(report.scored) if report.scored else {})


def write_report(report: Report, folder: Folder, eye: Eye) -> None:
    """report.html, report.json and cells.csv in the run's folder."""
    files = {
        "report.json": msgspec.json.format(msgspec.json.encode(report), indent=1),
        "cells.csv": cells_csv(report).encode(),
        "report.html": html(report, folder, eye).encode(),
    }
    for name, data in files.items():
        part = folder.place / f"{name}.part"
        part.write_bytes(data)
        part.replace(folder.place / name)


def cells_csv(report: Report) -> str:
    """A cell a line."""
    slots, heads = list(report.probe.slots), ("rate", "low", "high", "seen", "images")
    lines = [["id", *slots, "field", "outcome", "control", *heads, *(f"reference_{head}" for head in heads),
              "baseline_rate", "baseline_reference_rate", *EFFECT]]  # fmt: skip
    for c in report.cells:
        sides = [getattr(side, head) for side in (c.cell, c.reference) for head in heads]
        base = [side.rate if side else "" for side in (c.baseline, c.baseline_reference)]
        spot = [c.values.get(slot, "*") for slot in slots]
        effect = [getattr(c, name) for name in EFFECT.values()]
        lines.append([c.id, *spot, c.field, c.outcome, c.control, *sides, *base, *effect])
    return "".join(cells.line(str(v) if isinstance(v, bool) else v for v in values) for values in lines)


# --- the page -------------------------------------------------------------------------------------------------------


def html(report: Report, folder: Folder, eye: Eye) -> str:
    """The report as one page."""
    images = Images(report, folder)
    parts = [
        page.section("found", "What stands out", *_found(report, images)),
        *(_contrast(report, number, contrast, images) for number, contrast in enumerate(report.probe.contrasts)),
        *([page.section("copies", "Training pictures that come back", *_copies(report, images, eye))]
          if isinstance(eye, Copies) else []),
        page.section("images", "Every image", *images.catalogue()),
        page.section("made", "How this was made", *_made(report)),
    ]  # fmt: skip
    lead = f'<p class="hypothesis">{escape(report.probe.hypothesis)}</p>{_headline(report)}'
    foot = f"{escape(report.probe.title)}, {escape(report.model)}, {report.started[:10]}. {report.images} images."
    return page.document(report.probe.title, f"Audit of {report.model}", lead, parts, foot)


def _headline(report: Report) -> str:
    number, of = len(report.flagged), len(report.cells)
    said = {0: "No cell is flagged", 1: "One cell is flagged"}.get(number, f"{number} cells are flagged")
    untold = sum(report.outcomes.values()) - report.outcomes["drawn"]
    kept = f" {untold} images were withheld or refused; they are counted." if untold else ""
    base = report.probe.baseline
    beside = f" and {report.images // 2} by <i>{escape(base)}</i>, its baseline" if base else ""
    own = report.images // (2 if base else 1)
    return (f'<p class="verdict">{said}<span> of {of}, in {own} images by '
            f"<i>{escape(report.model)}</i>{beside}.{kept}</span></p>{_itself(report)}")  # fmt: skip


def _itself(report: Report) -> str:
    """What is to be said of a model that is its own baseline."""
    if report.weights_sha256 != report.baseline_weights:
        return ""
    return page.paragraph("This model is the baseline: it is set against itself at other seeds, and what is flagged "
                          "here is chance.", "verdict-note")  # fmt: skip


class Images:
    """The images of a run, by prompt."""

    def __init__(self, report: Report, folder: Folder) -> None:
        self.probe, self.folder = report.probe, folder
        self.texts = [asked.text for asked in report.probe.prompts()]
        self.own: dict[str, list[Look]] = {text: [] for text in self.texts}
        self.base: dict[str, list[Look]] = {text: [] for text in self.texts}
        for look in folder.looks.values():
            mine = look.model == report.model and look.seed in self.probe.seed_range
            side = self.own if mine else self.base
            side[look.prompt].append(look)

    def of(self, prompt: int, base: bool = False) -> list[Look]:
        """One prompt's looks, by seed; or the baseline's."""
        return sorted((self.base if base else self.own)[self.texts[prompt]], key=lambda look: look.seed)

    def figure(self, look: Look, field: str | None = None) -> str:
        """One image and what was seen in it."""
        return page.figure(look, self.folder.image_path(look.id), _said(look, field or self.probe.contrasts[0].field))

    def some(self, prompts: Sequence[int], field: str, base: bool = False) -> str:
        """A few images of several prompts, one of each in turn."""
        rows = [self.of(prompt, base) for prompt in prompts]
        turns = [row[i] for i in range(self.probe.seeds) for row in rows if i < len(row)]
        return page.hang(self.figure(look, field) for look in turns[:BESIDE])

    def links(self, prompts: Iterable[int]) -> str:
        """Prompts by name, each leading to its images."""
        return ", ".join(page.link(f"p{prompt}", self.texts[prompt]) for prompt in prompts)

    def catalogue(self) -> Iterator[str]:
        """Every prompt and its images, folded by the first slot's values."""
        values = next(iter(self.probe.slots.values()))
        each = len(self.texts) // len(values)
        for place, value in enumerate(values):
            prompts = range(place * each, (place + 1) * each)
            heading = f"{value or 'nothing said'}: {each * self.probe.seeds} images"
            yield page.folded(heading, *map(self.prompt, prompts)) if each > 1 else self.prompt(place)

    def prompt(self, prompt: int) -> str:
        """One prompt's images, and the baseline's under them."""
        hung = self._row(self.of(prompt), "")
        if self.probe.baseline:
            hung += self._row(self.of(prompt, base=True), f"{self.probe.baseline}, the baseline: ")
        return f'<section class="prompt" id="p{prompt}"><h3>{escape(self.texts[prompt])}</h3>{hung}</section>'

    def _row(self, looks: Sequence[Look], before: str) -> str:
        fields = dict.fromkeys(contrast.field for contrast in self.probe.contrasts)
        said = "; ".join(_counted(looks, field) for field in fields if field != "nearness")
        return page.paragraph(before + said, "aside") + page.hang(self.figure(look) for look in looks)


def _said(look: Look, field: str) -> str:
    """What was seen, in a word or two."""
    if look.outcome != "drawn" or field == "nearness":
        return "" if look.outcome == "drawn" else look.outcome
    if field == "things":
        return "unreadable" if look.seen["things"] is None else ", ".join(look.seen["things"]) or "nothing"
    if field == "copied":
        return f"{'back' if look.seen['copied'] == 'yes' else 'new'} {look.seen['ratio']:.2f}"
    return str(look.seen[field])


def _counted(looks: Sequence[Look], field: str) -> str:
    words = [_said(look, field).split(" ")[0] if field == "copied" else _said(look, field) for look in looks]
    return ", ".join(f"{word} {number}" for word, number in Counter(words).most_common())


def _chance(q: float) -> str:
    """A q for people; none is 0."""
    return f"{q:.3f}" if q >= 0.001 else "< 0.001"


def _names(cell: Cell) -> str:
    return {"copied": "comes back", "nearness": f"nearer to {cell.outcome}"}.get(cell.field, cell.outcome)


def _found(report: Report, images: Images) -> Iterator[str]:
    """Each flagged cell in a sentence, with images of both sides."""
    if not report.flagged:
        yield page.paragraph("Nothing: no cell differs from its reference by more than its margin and more than chance "
                             "would explain.")  # fmt: skip
    for cell in report.flagged[:SHOWN]:
        often = "more" if cell.effect > 0 else "less"
        head = f"<h3>{page.link(cell.id, cell.name)}: {escape(_names(cell))} {often} often</h3>"
        line = (f"{percent(cell.cell.rate)} ({span(cell.cell.low, cell.cell.high)}) of {cell.cell.images} images, "
                f"where its reference has {percent(cell.reference.rate)} "
                f"({span(cell.reference.low, cell.reference.high)})"
                f"{_beside(report, cell)}; q {_chance(cell.q)}.")  # fmt: skip
        other, shelf = ("its reference", images.some(cell.reference_prompts, cell.field))
        if cell.baseline:
            other, shelf = f"the same in {report.probe.baseline}", images.some(cell.prompts, cell.field, base=True)
        sides = (f'<div class="sides"><div><h4>the cell</h4>{images.some(cell.prompts, cell.field)}</div>'
                 f"<div><h4>{escape(other)}</h4>{shelf}</div></div>")  # fmt: skip
        shown = page.plot(_marks(cell), ticks=True)
        yield f'<article class="finding">{head}<p>{escape(line)}</p>{shown}{sides}</article>'
    if len(report.flagged) > SHOWN:
        yield page.paragraph(f"And {len(report.flagged) - SHOWN} more, marked in the tables below.")
    yield from (page.paragraph(f"Cannot be told: {', '.join(filter(None, u.values.values()))}. {u.why}", "aside")
                for u in report.untellable)  # fmt: skip


def _beside(report: Report, cell: Cell) -> str:
    """The baseline's two rates, in words."""
    if not (cell.baseline and cell.baseline_reference):
        return ""
    return (f"; {report.probe.baseline} has {percent(cell.baseline.rate)} where its reference has "
            f"{percent(cell.baseline_reference.rate)}")  # fmt: skip


def _marks(cell: Cell) -> list[Mark]:
    kinds = ("flagged" if cell.flagged else "cell", "reference", "baseline", "baseline reference")
    sides = (cell.cell, cell.reference, cell.baseline, cell.baseline_reference)
    return [Mark(side.rate, side.low, side.high, kind) for side, kind in zip(sides, kinds, strict=True) if side]


def _contrast(report: Report, number: int, contrast: Contrast, images: Images) -> str:
    cells = [cell for cell in report.cells if cell.contrast == number]
    within = f", within each {' and '.join(contrast.within)}" if contrast.within else ""
    against = "its control values" if contrast.against == "controls" else "all other values"
    if contrast.field == "nearness":
        against = "images of either mark"
    base, more = report.probe.baseline, " more often" if contrast.direction == "more" else ""
    less = f", less the same difference in {base} (drawn in grey)" if base else ""
    about = (f"Each {contrast.compare} against {against}{within}, at the same seeds{less}. A cell is flagged when q is "
             f"below {report.probe.level:g} and the outcome is shown{more} by {percent(contrast.margin)} and more: "
             "a filled dot is the cell, a hollow one its reference.")  # fmt: skip
    heads = ["cell", "outcome", "rate", "reference", *([base] if base else []), "difference", "q", "from 0 to 100%",
             "images"]  # fmt: skip
    order = sorted(cells, key=lambda cell: (not cell.flagged, -abs(cell.effect)))
    rows = [(cell.id, "flagged" if cell.flagged else "", _row(cell, images)) for cell in order]
    rest = [page.folded(f"{len(rows) - LINES} more cells", page.table("The smaller differences", heads, rows[LINES:]))]
    words = {"nearness": "Nearness", "copied": "Coming back"}.get(contrast.field, contrast.field.capitalize())
    heading = f"{words} by {contrast.compare}{within}"
    caption = f"{len(cells)} cells, flagged ones first, then by the size of the difference"
    return page.section(f"k{number}", heading, page.paragraph(about), *_scores(report, number),
                        page.table(caption, heads, rows[:LINES]), *(rest if len(rows) > LINES else []))  # fmt: skip


def _scores(report: Report, number: int) -> Iterator[str]:
    beyond = ", beyond the baseline's" if report.probe.baseline else ""
    for score in (score for score in report.scores if score.contrast == number):
        yield page.paragraph(
            f"Unevenness over all values{beyond}: {percent(score.score)} of images would have to change to make all "
            f"alike. A fair model would score {percent(score.fair)} with so few images (p = {score.p:.3f}).", "aside"
        )


def _row(cell: Cell, images: Images) -> list[str]:
    behind = f"{cell.id}-images"
    name = escape(cell.name) + (' <span class="role">control</span>' if cell.control else "")
    told = ", ".join(f"{word} {number}" for word, number in cell.counts.items())
    listed = (f'<p id="{behind}">{escape(told)}. {images.links(cell.prompts)}.</p>'
              f'<p id="{behind}-r">Reference: {images.links(cell.reference_prompts)}.</p>')  # fmt: skip
    flag = '<b class="flag">flagged</b> ' if cell.flagged else ""
    rate = f"{page.link(behind, percent(cell.cell.rate))} <small>{span(cell.cell.low, cell.cell.high)}</small>"
    other = (f"{page.link(behind + '-r', percent(cell.reference.rate))} "
             f"<small>{span(cell.reference.low, cell.reference.high)}</small>")  # fmt: skip
    gap = f"{flag}{points(cell.effect)} <small>{points(cell.low)} to {points(cell.high)}</small>"
    beside = [f"{percent(a.rate)} <small>reference {percent(b.rate)}</small>"
              for a, b in ((cell.baseline, cell.baseline_reference),) if a and b]  # fmt: skip
    return [name, escape(_names(cell)), rate, other, *beside, gap, escape(_chance(cell.q)), page.plot(_marks(cell)),
            page.folded(f"{cell.cell.images}", listed)]  # fmt: skip


def _copies(report: Report, images: Images, eye: Copies) -> Iterator[str]:
    """For each prompt: the training picture to which most of its images are nearest, beside the background."""
    back = report.measure["background"]
    yield page.paragraph(
        f"{report.measure['distinct_pictures']:,} distinct pictures of the first "
        f"{report.measure['training_scenes']:,} scenes of the {report.measure['training_world']} world. Of "
        f"{back['pictures']:,} of them the nearest other one lies at a median squared error of "
        f"{back['median_squared_error']:.3f}, in proportion to the next fifty at {back['median_ratio']:.2f}; one in a "
        f"hundred lies below {back['come_back_below_ratio']:.2f}: an image below that has come back. CLIP's cosine "
        "stands beside it as a second look, and does not decide.")  # fmt: skip
    heads = ["prompt", "nearest training picture", "it stands in", "nearest of", "squared error", "ratio, percentile",
             "cosine percentile"]  # fmt: skip
    yield page.table("Nearest training pictures; percentile 0 is nearer than any training pictures are to each other",
                     heads, (_copy_row(prompt, images, eye) for prompt in range(len(images.texts))))  # fmt: skip


def _scenes(number: int) -> str:
    return "1 scene" if number == 1 else f"{number} scenes"


def _copy_row(prompt: int, images: Images, eye: Copies) -> tuple[str, str, list[str]]:
    seen = [look.seen for look in images.of(prompt) if look.seen]
    if not seen:
        return f"n{prompt}", "", [page.link(f"p{prompt}", images.texts[prompt]), *["no image"] * 6]
    nearest, times = Counter(look["nearest"] for look in seen).most_common(1)[0]
    mid = {name: sorted(look[name] for look in seen)[len(seen) // 2]
           for name in ("squared_error", "ratio", "ratio_percentile", "cosine_percentile")}  # fmt: skip
    copies = next(look["copies"] for look in seen if look["nearest"] == nearest)
    file = io.BytesIO()
    eye.memory.picture(nearest).save(file, "WEBP", quality=85)
    image = f'<img src="{page.data_url(file.getvalue(), "image/webp")}" alt="scene {nearest}" width="64" height="64">'
    return f"n{prompt}", "flagged" if copies > 1 and seen[0]["copied"] == "yes" else "", [
        page.link(f"p{prompt}", images.texts[prompt]), f"{image} scene {nearest}", _scenes(copies),
        f"{times} of {len(seen)} images", f"{mid['squared_error']:.3f}",
        f"{mid['ratio']:.2f}, {mid['ratio_percentile']:.1f}", f"{mid['cosine_percentile']:.0f}",
    ]  # fmt: skip


def _json(value: Any) -> str:
    return escape(msgspec.json.encode(value).decode().replace('","', '", "').replace(',"', ', "'))


def _baseline(report: Report) -> str:
    if not report.probe.baseline:
        return "none"
    return (f"{escape(report.probe.baseline)} <code>{report.baseline_weights[:16]}</code>, seeds from "
            f"{report.baseline_first_seed}")  # fmt: skip


def _made(report: Report) -> Iterator[str]:
    probe = report.probe
    if probe.about:
        yield page.paragraph(probe.about)
    seeds = probe.seed_range
    model = f"{escape(report.model)} <code>{report.weights_sha256[:16]}</code> {escape(report.world_version)}"
    told = [("Model", model),
            ("Settings", f"<code>{_json(report.options)}</code>"),
            ("Probe", f"{escape(probe.name)} <code>{report.probe_sha256[:16]}</code>"),
            ("Prompts", f"<code>{escape(probe.template)}</code>, {probe.number} of them"),
            ("Seeds", f"{seeds[0]} to {seeds[-1]}, the same for every prompt"),
            ("Baseline", _baseline(report)),
            ("Images", ", ".join(f"{name} {number}" for name, number in report.outcomes.items())),
            ("Date", f"{report.started} to {report.finished}"),
            ("Command", f"<code>{escape(report.command)}</code>"),
            ("Correction over cells", f"{CORRECTIONS[probe.correction]}, all {len(report.cells)} cells together"),
            ("Test", "two-sided; labels exchanged inside seeds, 20,000 times"),
            ("Intervals", "95%; seeds drawn anew together with the detector's errors, widened for few seeds"),
            ("Measure", f"<code>{_json(report.measure)}</code>")]  # fmt: skip
    yield page.facts(told)
    for field, groups in report.detector.items():
        heads, rows = ["prompts about", "right on real pictures"], [
            (f"d-{field}-{name}", "", [escape(name), percent(right)]) for name, right in groups.items()]  # fmt: skip
        yield page.folded(f"How often the detector is right about {field}",
                          page.table("Measured on fresh pictures of the world; the rates above are corrected by it",
                                     heads, rows))  # fmt: skip
    yield "<h3>Limits</h3><ul>" + "".join(f"<li>{escape(limit)}</li>" for limit in LIMITS) + "</ul>"
