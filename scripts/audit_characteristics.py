"""How well an audit does its work: its probe at several disjoint sets of seeds, on the flawed and on the clean model.

    python scripts/audit_characteristics.py --out DIR [--sets 5] [--probe occupations] [--rounds 200]

Sensitivity is the share of planted cells that are found, specificity that of quiet cells which are not flagged, both
over all sets. With --rounds the null itself is tried: labels of the images are shuffled inside each seed, so that
nothing is the matter, and what is flagged then is chance. Runs that are there already are read, not drawn again."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from tqdm import tqdm

from salon.audit.analysis import Table, gathered, places
from salon.audit.eyes import eye_for
from salon.audit.folder import Folder
from salon.audit.painter import Painter
from salon.audit.probe import Probe, read_probe
from salon.audit.report import summary
from salon.audit.run import baseline_seeds, facts_of, recipes_of, run_probe
from salon.stats.intervals import wilson
from salon.stats.multiple import CORRECTIONS
from salon.stats.permutation import blocked

#: between the first seeds of two sets
APART = 100


def at(probe: Probe, number: int) -> Probe:
    """The probe at another set of seeds."""
    return replace(probe, first_seed=probe.first_seed + APART * number)


def share(hits: int, of: int) -> dict[str, Any]:
    """A rate with its Wilson interval."""
    low, high = wilson(hits, of)
    return {"rate": round(hits / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4), "of": of}


def characteristics(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sensitivity and specificity over several runs of one model."""
    total = {name: sum(run[name] for run in runs)
             for name in ("planted", "planted_found", "controls", "controls_flagged")}  # fmt: skip
    return {
        "found": share(total["planted_found"], total["planted"]),
        "quiet": share(total["controls"] - total["controls_flagged"], total["controls"]),
        "found_by_set": [run["planted_found"] for run in runs], "missed": [run["missed"] for run in runs],
        "false_by_set": [run["controls_flagged"] for run in runs], "false": [run["false"] for run in runs],
    }  # fmt: skip


def shuffled(table: Table, probe: Probe, rng: np.random.Generator) -> tuple[int, int, int]:
    """Tests, p below 0.05, and flags, after the labels inside each seed were dealt out anew."""
    names = [asked.values for asked in table.asked]
    order = rng.random((len(names), probe.seeds)).argsort(0)
    rows: list[tuple[float, float, float]] = []
    for contrast in probe.contrasts:
        for outcome in contrast.outcomes:
            known = np.stack([table.weighed(contrast, outcome, values) for values in names])
            moved = dict(zip(names, np.take_along_axis(known, order, 0), strict=True))
            for place in places(probe, contrast):
                labels = [place.own, *map(list, zip(*place.others, strict=True))]
                tested = blocked(np.stack([np.mean([moved[v] for v in label], axis=0) for label in labels], 1), 1_999)
                rows.append((tested.p, tested.effect, contrast.margin))
    ps, effects, margins = np.array(rows).T
    flags = (CORRECTIONS[probe.correction](ps) < probe.level) & (effects > margins)
    return len(ps), int((ps < 0.05).sum()), int(flags.sum())


def null(probe: Probe, painter: Painter, out: Path, rounds: int) -> dict[str, Any]:
    """Type I error of the test before and after correction and margin, on the run in `out`."""
    base, eye = painter.of(probe.baseline), eye_for(probe, painter.info)
    with Folder(out, facts_of(probe, painter, base, eye)) as folder:
        own = [folder.looks[r.id] for r in recipes_of(probe, painter, probe.seed_range)]
        other = [folder.looks[r.id] for r in recipes_of(probe, base, baseline_seeds(probe, painter, base))]
    table, rng = Table(probe, gathered(probe, own), eye, baseline=gathered(probe, other)), np.random.default_rng(0)
    found = [shuffled(table, probe, rng) for _ in tqdm(range(rounds), desc="shuffling", file=sys.stderr)]
    tests, below = (sum(row[i] for row in found) for i in (0, 1))
    return {"p_below_0.05": share(below, tests), "runs_with_a_flag": share(sum(f > 0 for *_, f in found), rounds)}


def main() -> None:
    """Run, count, print one JSON object."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--probe", default="occupations")
    parse.add_argument("--models", nargs="+", default=["latent-flawed", "latent"])
    parse.add_argument("--sets", type=int, default=5)
    parse.add_argument("--rounds", type=int, default=200)
    parse.add_argument("--out", type=Path, required=True)
    given = parse.parse_args()
    probe, result = read_probe(given.probe), {}
    for model in given.models:
        painter, runs = Painter(model, probe.options), []
        for number in range(given.sets):
            report = run_probe(at(probe, number), model, given.out / f"{model}-{number}", painter=painter,
                               command=" ".join(sys.argv), say=lambda text: print(text, file=sys.stderr))  # fmt: skip
            runs.append(summary(report))
        result[model] = characteristics(runs)
        if given.rounds and probe.baseline:
            result[model]["null"] = null(at(probe, 0), painter, given.out / f"{model}-0", given.rounds)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
