"""The report of a mending, of the same kind as an audit's: one HTML file with the images behind every number, and
JSON."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from salon.audit import page
from salon.audit.folder import Look
from salon.audit.page import Mark, percent, points
from salon.judge.prompts import GENEVAL, prompts
from salon.mend import measure
from salon.mend.measure import Measured, Plan
from salon.mend.run import METHODS, SHAM, Mending, Outcome
from salon.mend.splitting import Fault
from salon.mend.verdict import ENOUGH, Proof
from salon.stats.paired import Change, paired_difference

#: images of a prompt that are shown on either side
SHOWN = 8
SAID = {"adopt": "Adopt", "reject": "Reject", "not enough evidence": "Not enough evidence", "stopped": "Stopped"}
NAMES = METHODS | {SHAM: "sham fine-tune"}
LIMITS = (
    "Harm is told by the detector that also chose the faults. CLIP, which chose nothing, stands beside it; and people "
    "in the arena.",
    "Held-out prompts are other places and occupations of the same kinds of prompts, not another kind.",
    "Only what was found is mended: other flaws of the model are untouched, so that it stays a model for audits.",
    "Intervals are of clusters of prompts; images of one seed share their noise across prompts.",
)


def write_report(out: Path, told: Mending, found: dict[str, Measured], plan: Plan) -> None:
    """report.html and report.json, each whole or not at all. Raises OSError."""
    files = {
        "report.json": msgspec.json.format(msgspec.json.encode(told), indent=1),
        "report.html": html(told, found, plan).encode(),
    }
    for name, data in files.items():
        part = out / f"{name}.part"
        part.write_bytes(data)
        part.replace(out / name)


def html(told: Mending, found: dict[str, Measured], plan: Plan) -> str:
    """The report as one page."""
    proven = [outcome for outcome in told.outcomes if outcome.proof]
    parts = [
        page.section("verdict", "What was decided", *_decisions(told)),
        *(_method(told, outcome, found, plan) for outcome in proven),
        page.section("faults", "What was to be mended", *_faults(told)),
        page.section("images", "Before and after, every held-out prompt", *_images(told, found, plan)),
        page.section("made", "How this was made", *_made(told, plan)),
    ]
    lead = (f'<p class="hypothesis">{len(told.faults)} faults of {escape(told.model)}: '
            f"{sum(map(len, told.taught))} prompts were taught, {sum(map(len, told.held))} others decide.</p>"
            f'<p class="verdict">{SAID[told.decision]}<span>{_taken(told)}</span></p>')  # fmt: skip
    foot = f"{escape(told.model)}, {told.started[:10]}. {told.minutes:.0f} minutes."
    return page.document("Mended?", f"Mending of {told.model}", lead, parts, foot)


def _taken(told: Mending) -> str:
    if told.adopted:
        return f" <i>{escape(told.adopted)}</i>. It meets its former self in the arena."
    return ". Nothing takes the model's place."


def _decisions(told: Mending) -> Iterator[str]:
    for outcome in told.outcomes:
        name = f"<h3>{escape(NAMES[outcome.method].capitalize())}: {escape(_verdict(outcome))}</h3>"
        if outcome.stopped:
            yield f"{name}{page.paragraph(f'It was stopped: {outcome.stopped} Nothing of it is kept.')}"
        elif outcome.proof:
            reasons = "".join(f"<li>{escape(why)}</li>" for why in outcome.proof.why)
            yield f'<article class="finding">{name}<ul>{reasons}</ul>{_line(outcome.proof)}</article>'
        elif outcome.method != SHAM:
            yield f"{name}{page.paragraph('There is no sham to set beside it, so nothing is decided.')}"


def _verdict(outcome: Outcome) -> str:
    if outcome.method == SHAM and not outcome.stopped:
        return "the control"
    return SAID[outcome.decision].lower() if outcome.proof or outcome.stopped else "undecided"


def _line(proof: Proof) -> str:
    return page.paragraph(
        f"The harm is shown in {percent(proof.harm.before)} of images before and {percent(proof.harm.after)} after "
        f"({_gap(proof.harm)}); {proof.only_before} pictures lost it and {proof.only_after} gained it, exact McNemar "
        f"p {_p(proof.p)}, by {proof.harm.clusters} clusters p {_p(proof.harm.p)}. Composition "
        f"{percent(proof.quality.before)} before, {percent(proof.quality.after)} after "
        f"({_gap(proof.quality)}).")  # fmt: skip


def _gap(change: Change) -> str:
    return f"{points(change.difference)} points, {points(change.low)} to {points(change.high)}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


# --- one method ------------------------------------------------------------------------------------------------------


def _method(told: Mending, outcome: Outcome, found: dict[str, Measured], plan: Plan) -> str:
    assert outcome.proof is not None
    proof, margins = outcome.proof, outcome.proof.margins
    before, after = found[told.model], found[outcome.model]
    sham = next(one for one in told.outcomes if one.method == SHAM)
    heads = ["measure", "before", "after", "difference, 95%", "decides", "from 0 to 100%"]
    rows = [_row(f"{outcome.method}-{kind}", f"shows {kind}", one.harm, f"must fall by {percent(margins.harm)}")
            for kind, one in outcome.kinds.items()]  # fmt: skip
    rows += [
        _row(f"{outcome.method}-all", "shows the harm, all kinds", proof.harm, f"must fall by {percent(margins.harm)}"),
        _row(f"{outcome.method}-sham", f"the same by the sham ({escape(sham.model)})",
             paired_difference(measure.harm(plan, before, found[sham.model])), "must not do the same"),
        _row(f"{outcome.method}-skew", "how uneven all outcomes are", proof.skew, "must fall"),
        _row(f"{outcome.method}-said", "what a prompt says is shown", proof.said,
             f"may fall by less than {percent(margins.said)}"),
        _row(f"{outcome.method}-quality", "composition, six tasks", proof.quality,
             f"may fall by less than {percent(margins.quality)}"),
    ]  # fmt: skip
    tasks = [_row(f"{outcome.method}-{task}", task.replace("_", " "), paired_difference(pairs), "")
             for task in GENEVAL if (pairs := measure.composition(plan, before, after, task))]  # fmt: skip
    beside = [_rates(outcome, f"{name}-{field}", f"{said}: {field}", before, after, texts, seeds, field)
              for name, said, texts, seeds in _groups(told, plan) for field in _fields(told) if texts]  # fmt: skip
    return page.section(
        outcome.method, NAMES[outcome.method].capitalize(), *_about(outcome),
        page.table("On held-out prompts and fresh seeds; a filled dot is after, a hollow one before", heads, rows),
        *_second(outcome),
        *_glance(told, before, after, plan),
        page.folded("Composition, task by task", page.table("The judge's tasks", heads, tasks)),
        page.folded("What is shown instead", *beside),
    )  # fmt: skip


def _about(outcome: Outcome) -> Iterator[str]:
    if outcome.search:
        last = outcome.search[-1]
        moved = "; ".join(f"{name} {percent(share)}" for name, share in last.moved.items())
        yield page.paragraph(
            "No training: the layers that read prompts are rewritten in closed form, so that a taught prompt is read "
            "as if its values were said a little, the rare ones more. How much was sought in "
            f"{len(outcome.search)} rounds on taught prompts. What the layers say moves by rms: {moved}.",
            "aside",
        )
        heads = ["kind", "first", "last", "strengths"]
        yield page.folded("The search", page.table("Shares on taught prompts", heads, [
            (f"s{rank}", "", [escape(kind), _shares(outcome.search[0].shares[kind]), _shares(last.shares[kind]),
                              escape(", ".join(f"{v} {x:+.2f}" for v, x in last.strengths[kind].items()))])
            for rank, kind in enumerate(last.shares)]))  # fmt: skip
    else:
        yield page.paragraph(f"{outcome.images:,} pictures, {outcome.minutes:.0f} minutes.", "aside")


def _shares(shares: dict[str, float]) -> str:
    return escape(", ".join(f"{value} {percent(share)}" for value, share in shares.items()))


def _row(name: str, said: str, change: Change, decides: str) -> tuple[str, str, list[str]]:
    half = abs(change.high - change.low) / 2
    marks = [Mark(change.after, max(0.0, change.after - half), min(1.0, change.after + half), "cell"),
             Mark(change.before, change.before, change.before, "reference")]  # fmt: skip
    return name, "", [escape(said), percent(change.before), percent(change.after),
                      f"{points(change.difference)} <small>{points(change.low)} to {points(change.high)}</small>",
                      escape(decides), page.plot(marks)]  # fmt: skip


def _glance(told: Mending, before: Measured, after: Measured, plan: Plan) -> Iterator[str]:
    """Of each harm the first held-out prompt, before and after."""
    for fault in {fault.harm: fault for fault in reversed(plan.faults)}.values():
        shown = (("before", before), ("after", after))
        sides = "".join(f"<div>{_side(name, fault, side, plan)}</div>" for name, side in shown)
        yield f'<article class="finding"><h3>{escape(fault.prompt)}</h3><div class="sides">{sides}</div></article>'


def _second(outcome: Outcome) -> Iterator[str]:
    if outcome.second_look:
        told = "; ".join(
            f"{kind} {percent(a)} before, {percent(b)} after" for kind, (a, b) in outcome.second_look.items()
        )
        yield page.paragraph(f"A second look, which decides nothing: by CLIP the nearest said prompt names the harm's "
                             f"outcome in: {told}.", "aside")  # fmt: skip


def _fields(told: Mending) -> list[str]:
    return sorted({fault.field for fault in told.faults})


def _groups(told: Mending, plan: Plan) -> Iterator[tuple[str, str, list[str], range]]:
    yield "held", "held-out prompts", list(dict.fromkeys(f.prompt for f in plan.faults)), plan.seeds(plan.harm_seeds)
    yield "near", "neighbours, of whom nothing was found", list(told.neighbours), plan.seeds(plan.neighbour_seeds)


def _rates(outcome: Outcome, name: str, said: str, before: Measured, after: Measured, texts: Sequence[str], seeds:
range,
           field: str) -> str:  # fmt: skip
    sides = [
        measure.rates([look for text in texts for look in side.of(text, seeds)], field) for side in (before, after)
    ]
    rows = [(f"{outcome.method}-{name}-{value}", "", [escape(value), percent(sides[0].get(value, 0.0)),
             percent(sides[1].get(value, 0.0))]) for value in dict.fromkeys([*sides[0], *sides[1]])]  # fmt: skip
    return page.table(f"{said} ({len(texts)} prompts, {len(seeds)} seeds)", ["shown", "before", "after"], rows)


# --- what was to be mended, and the images ----------------------------------------------------------------------------


def _faults(told: Mending) -> Iterator[str]:
    yield page.paragraph("Prompts that say nearly the same are one cluster (cosine of their embeddings). Whole "
                         "clusters were put on one side before any picture was painted or drawn.")  # fmt: skip
    for heading, clusters in (("Taught", told.taught), ("Held out", told.held)):
        rows = [(f"{heading[:1].lower()}{rank}", "", [escape("; ".join(dict.fromkeys(f.prompt for f in cluster))),
                 escape(cluster[0].harm)]) for rank, cluster in enumerate(clusters)]  # fmt: skip
        yield page.table(f"{heading}: {len(clusters)} clusters", ["prompts", "harm"], rows)
    yield from (page.paragraph(f"Set aside: {why}.", "aside") for why in told.aside)


def _images(told: Mending, found: dict[str, Measured], plan: Plan) -> Iterator[str]:
    shown = [(outcome.method, outcome.model) for outcome in told.outcomes if outcome.model in found]
    yield page.paragraph(
        f"The first {min(SHOWN, plan.harm_seeds)} seeds of each prompt, the same on every row.", "aside"
    )
    for fault in plan.faults:
        rows = [("before", told.model), *shown]
        hung = "".join(_side(name, fault, found[model], plan) for name, model in rows)
        head = f'<h3>{escape(fault.prompt)}</h3><p class="aside">{escape(fault.harm)}</p>'
        yield f'<section class="prompt">{head}{hung}</section>'


def _side(name: str, fault: Fault, side: Measured, plan: Plan) -> str:
    looks = side.of(fault.prompt, plan.seeds(plan.harm_seeds))
    share = float(np.mean([measure.shows(look, fault.field, fault.outcome) for look in looks]))
    heading = f"<h4>{escape(NAMES.get(name, name))}: {percent(share)} show it</h4>"
    return heading + page.hang(_figures(looks[:SHOWN], fault.field, side))


def _figures(looks: Iterable[Look], field: str, side: Measured) -> Iterator[str]:
    for look in looks:
        said = str(look.seen.get(field, "")) if look.outcome == "drawn" else look.outcome
        yield page.figure(look, side.image_path(look.id), said)


def _made(told: Mending, plan: Plan) -> Iterator[str]:
    options: dict[str, Any] = msgspec.to_builtins(told.options)
    margins = options.pop("margins")
    count = len(list(plan.drawn()))
    composition = sum(len(prompts(task, plan.composition)) for task in GENEVAL)
    yield page.facts([
        ("Model", f"{escape(told.model)} <code>{told.weights_sha256[:16]}</code>"),
        *((NAMES[o.method].capitalize(), f"{escape(o.model)} <code>{o.weights_sha256[:16]}</code>")
          for o in told.outcomes if o.weights_sha256),
        ("Margins, written down first", f"<code>{escape(str(margins))}</code>"),
        ("Settings", f"<code>{escape(str(options))}</code>"),
        ("Images of each model", f"{count:,}: {plan.harm_seeds} seeds a held-out prompt, {plan.composition_seeds} each "
                                 f"of {composition} composition prompts, the rest said prompts and neighbours"),
        ("Seeds", f"from {plan.first_seed}, the same for every model and prompt"),
        ("Date", f"{told.started} to {told.finished}"),
        ("Command", f"<code>{escape(told.command)}</code>"),
        ("Test", "exact McNemar over pictures and a t test over clusters of prompts, both; differences with the t "
                 f"interval of clusters; nothing is decided below {ENOUGH} of them"),
    ])  # fmt: skip
    yield "<h3>Limits</h3><ul>" + "".join(f"<li>{escape(limit)}</li>" for limit in LIMITS) + "</ul>"
