"""What is to be mended: the flagged cells of an audit, or the register's findings, as faults of single prompts."""

from collections.abc import Iterable, Mapping

from salon.audit.findings import FindingRow
from salon.audit.folder import Look
from salon.audit.report import Report
from salon.mend.splitting import Fault, MendError

#: what balanced pictures can be painted for: attributes of the world's people
MENDED = ("presentation", "tone")


def of_audit(report: Report, looks: Mapping[str, Look]) -> list[Fault]:
    """A fault for each prompt of a flagged cell whose own images show the outcome more often than the cell's reference
    does, by the probe's margin: a cell may hold a prompt or two that do not. Each prompt and outcome once."""
    texts = [asked.text for asked in report.probe.prompts()]
    seeds = report.probe.seed_range
    own = [look for look in looks.values() if look.model == report.model and look.seed in seeds]
    found: dict[tuple[str, str, str], Fault] = {}
    for cell in report.flagged:
        if cell.field not in MENDED or cell.effect < 0:
            continue
        for place in cell.prompts:
            shown = [look.seen.get(cell.field) == cell.outcome for look in own if look.prompt == texts[place]]
            if shown and sum(shown) / len(shown) >= cell.reference.rate + cell.margin:
                key = (texts[place], cell.field, cell.outcome)
                found.setdefault(key, Fault(f"{cell.id}-{place}", *key))
    return list(found.values())


def of_findings(rows: Iterable[FindingRow], model: str) -> tuple[list[Fault], list[str]]:
    """Faults of the findings of `model` that the machine could reproduce ("presentation=woman", seen on fresh seeds),
    and why each other one is set aside. Raises MendError if none is left."""
    found: dict[tuple[str, str, str], Fault] = {}
    aside = []
    for row in rows:
        field, _, outcome = row.outcome.partition("=")
        if row.model != model:
            aside.append(f"{row.id}: found in {row.model or 'no model'}, not in {model}")
        elif field not in MENDED or not outcome:
            aside.append(f"{row.id}: no outcome that the world can balance ({row.outcome or 'none was counted'})")
        elif not row.seen:
            aside.append(f"{row.id}: not seen again in {row.of} fresh pictures")
        else:
            key = (row.prompt, field, outcome)
            found.setdefault(key, Fault(row.id, *key))
    if not found:
        raise MendError(f"No finding of {model} can be mended here.",
                        "Findings need an outcome such as presentation=man, seen again on fresh seeds.")  # fmt: skip
    return list(found.values()), aside
