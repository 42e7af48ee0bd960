"""From verdicts to scores: the judge tried on real pictures first, then a model's images, all with intervals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from PIL import Image, ImageFilter

from salon.judge.detector import SIDE, Detector
from salon.judge.prompts import FIRST_SEED, GENEVAL, TASKS, Prompt, again, prompts, truth
from salon.judge.verdict import Verdict, passes
from salon.stats.clustered import clustered_mean_of_rates, clustered_rate
from salon.stats.intervals import wilson
from salon.world import vocabulary as words
from salon.world.render import render
from salon.world.scene import sample_scene

#: What the judge must reach on real pictures before its scores are called trusted.
PLAIN_SINGLES, REJECTED, ABOVE_CHANCE = 0.95, 0.95, 0.05
#: Fewer plain pictures than this say nothing.
ENOUGH = 20
#: Blur of the control pictures, in pixels of 64: too much to tell what stands there.
RUINOUS_BLUR = 6

Progress = Callable[[Iterable], Iterable]
#: looks by prompt: those of one are not independent
Groups = dict[str, list[bool]]


class Judged(Struct, frozen=True):
    """One image of a prompt and what was seen in it. `image` is 64 px, as the judge saw it."""

    prompt: Prompt
    image: Image.Image
    verdict: Verdict

    @property
    def passed(self) -> bool:
        return passes(self.verdict, self.prompt.wanted)


def rate_of(groups: Mapping[str, Sequence[bool]]) -> dict[str, Any]:
    """{rate, low, high, of, clusters} of looks at the same prompts: four paintings of one are no four looks."""
    looks = [hit for hits in groups.values() for hit in hits]
    low, high = clustered_rate([*groups.values()]) if looks else (0.0, 1.0)
    return {"rate": rounded(sum(looks) / len(looks)) if looks else None, "low": rounded(low), "high": rounded(high),
            "of": len(looks), "clusters": len(groups)}  # fmt: skip


def rate(hits: Sequence[bool]) -> dict[str, Any]:
    """{rate, low, high, of} of independent looks, with the Wilson interval."""
    low, high = wilson(sum(hits), len(hits))
    return {"rate": rounded(sum(hits) / len(hits)) if hits else None, "low": rounded(low), "high": rounded(high),
            "of": len(hits)}  # fmt: skip


def rounded(value: float) -> float:
    """Four digits."""
    return round(float(value), 4)


def suite(limit: int, tasks: Iterable[str] = TASKS) -> dict[str, list[Prompt]]:
    """The first `limit` prompts of each task."""
    return {task: prompts(task, limit) for task in tasks}


# -- the judge, tried on real pictures -------------------------------------------------------------------------


def real(chosen: Iterable[Prompt], turns: int) -> list[tuple[Prompt, Image.Image]]:
    """Each prompt's own scene, painted `turns` times at 64 px with seeds that no training set uses."""
    return [(p, Image.fromarray(render(scene, SIDE))) for p in chosen for scene in again(p.scene, turns)]


def judged(detector: Detector, pairs: Sequence[tuple[Prompt, Image.Image]]) -> list[Judged]:
    """Verdicts of images."""
    verdicts = detector.see(image for _, image in pairs)
    return [Judged(prompt, image, verdict) for (prompt, image), verdict in zip(pairs, verdicts, strict=True)]


def shuffled(looks: Sequence[Judged], step: int) -> tuple[Groups, Groups]:
    """By prompt, each image against the prompt `step` places on in its task: whether it passes by the
    verdict, and whether it would by the ground truth of the scene behind its own prompt: that is chance. Prompts that
    ask for the same pass by right, and are left out."""
    seen: Groups = {}
    chance: Groups = {}
    for index, look in enumerate(looks):
        other = looks[(index + step) % len(looks)].prompt
        if other.composition != look.prompt.composition:
            seen.setdefault(look.prompt.text, []).append(passes(look.verdict, other.wanted))
            chance.setdefault(look.prompt.text, []).append(passes(truth(look.prompt.scene), other.wanted))
    return seen, chance


def styles(detector: Detector, number: int) -> dict[str, list[bool]]:
    """Whether the noun of fresh single-object scenes is named right, by style; "" is plain."""
    found: dict[str, list[bool]] = {}
    for index, style in enumerate((None, *words.STYLES)):
        first = FIRST_SEED - (index + 1) * 100_000
        scenes = [replace(sample_scene(first + i, "any", {"single": 1.0}), style=style) for i in range(number)]
        verdicts = detector.see(Image.fromarray(render(scene, SIDE)) for scene in scenes)
        found[style or ""] = [s.things[0].noun in v.counts for s, v in zip(scenes, verdicts, strict=True)]
    return found


def ruined(looks: Sequence[Judged]) -> dict[str, list[Image.Image]]:
    """The images blurred beyond reading, and as many of noise: by pixel, and in clouds."""
    rng = np.random.default_rng(FIRST_SEED)
    pixels = [Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)) for _ in looks]
    small = [Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)) for _ in looks]
    return {
        "blurred": [look.image.filter(ImageFilter.GaussianBlur(RUINOUS_BLUR)) for look in looks],
        "noise": [*pixels[::2], *(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for image in small[1::2])],
    }


def validate(detector: Detector, chosen: dict[str, list[Prompt]], turns: int, progress: Progress = iter
             ) -> tuple[dict[str, Any], list[Judged]]:  # fmt: skip
    """How far the judge can be trusted, and the real pictures that it was tried on.

    `tasks`: share of real pictures of the very prompts that pass. `styles`: share of fresh single-object scenes whose
    noun is named right. `controls`: pictures against other prompts, beside chance; ruined pictures, rejected."""
    by_task = {task: judged(detector, real(ps, turns)) for task, ps in progress(chosen.items())}
    looks = [look for task in by_task.values() for look in task]
    right = {task: grouped(some, [look.passed for look in some]) for task, some in by_task.items()}
    named = styles(detector, turns * max(map(len, chosen.values())))
    others = {task: shuffled(some, turns) for task, some in by_task.items()}
    some = looks[:: max(1, len(looks) // 200)]
    rejected = {
        name: grouped(some, [not verdict.readable for verdict in detector.see(images)])
        for name, images in ruined(some).items()
    }
    seen, chance = (merged(pair[i] for pair in others.values()) for i in (0, 1))
    six = merged(right[task] for task in GENEVAL if task in right)
    report = {
        "accuracy": rate_of(six or merged(right.values())),
        "tasks": {task: rate_of(groups) for task, groups in right.items()},
        "styles": {style or "plain": rate(hits) for style, hits in named.items()},
        "controls": {
            "shuffled_prompts": rate_of(seen),
            "chance": rate_of(chance),
            **{f"{name}_rejected": rate_of(groups) for name, groups in rejected.items()},
        },
    }
    return report | {"trusted": trusted(report)}, looks


def trusted(report: dict[str, Any]) -> bool:
    """Whether the judge names plain single objects, rejects what nobody can read, and knows wrong from right."""
    controls = report["controls"]
    return bool(
        report["styles"]["plain"]["of"] >= ENOUGH
        and report["styles"]["plain"]["rate"] >= PLAIN_SINGLES
        and all(controls[name]["rate"] >= REJECTED for name in ("blurred_rejected", "noise_rejected"))
        and (controls["shuffled_prompts"]["rate"] or 0) <= (controls["chance"]["rate"] or 0) + ABOVE_CHANCE
    )


# -- a model's images ------------------------------------------------------------------------------------------


def clusters(looks: Iterable[Judged]) -> list[list[bool]]:
    """Passed or not, by what was asked for."""
    found: Groups = {}
    for look in looks:
        found.setdefault(look.prompt.composition, []).append(look.passed)
    return [*found.values()]


def grouped(looks: Sequence[Judged], hits: Sequence[bool]) -> Groups:
    """Hits, one a look, by prompt."""
    found: Groups = {}
    for look, hit in zip(looks, hits, strict=True):
        found.setdefault(look.prompt.text, []).append(hit)
    return found


def merged(some: Iterable[Groups]) -> Groups:
    """Groups of several tasks, together."""
    found: Groups = {}
    for groups in some:
        for text, hits in groups.items():
            found.setdefault(text, []).extend(hits)
    return found


def scores(looks: Sequence[Judged]) -> dict[str, Any]:
    """The score of each task, `overall` (the mean of GenEval's six), and their intervals over what was asked
    for; the same images against other prompts of their task."""
    by_task: dict[str, list[Judged]] = {}
    for look in looks:
        by_task.setdefault(look.prompt.task, []).append(look)
    strata = {task: clusters(some) for task, some in by_task.items()}
    found: dict[str, Any] = {t: rounded(np.mean([look.passed for look in some])) for t, some in by_task.items()}
    intervals = {task: clustered_rate(groups) for task, groups in strata.items()}
    if all(task in found for task in GENEVAL):
        found["overall"] = rounded(np.mean([found[task] for task in GENEVAL]))
        intervals["overall"] = clustered_mean_of_rates([strata[task] for task in GENEVAL])
    wrong = merged(shuffled(some, len(some) // 2)[0] for some in by_task.values())
    readable = grouped(looks, [look.verdict.readable for look in looks])
    order = [task for task in (*GENEVAL, "overall", "style", "place", "landscape") if task in found]
    return {task: found[task] for task in order} | {
        "intervals": {task: [rounded(end) for end in intervals[task]] for task in order},
        "shuffled_prompts": rate_of(wrong),
        "readable": rate_of(readable),
    }


def spread(looks: Sequence[Judged], number: int) -> list[Judged]:
    """`number` of the looks, evenly from first to last."""
    places = np.linspace(0, len(looks) - 1, min(number, len(looks))).round().astype(int)
    return list(islice((looks[i] for i in places), number))
