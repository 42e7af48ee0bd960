"""GenEval's six tasks (Ghosh et al. 2023, arXiv 2310.11513) restated for this world, and style, place, landscape.

Every prompt names a composition that training never saw (world/scene.py, `held_out`), and comes with a scene that
shows it, so that the judge can be tried on real pictures of the very prompts before it judges drawn ones."""

from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from salon.core.hashing import content_hash
from salon.judge.verdict import Seen, Verdict, Want, Wanted
from salon.world import vocabulary as words
from salon.world.captions import article, named
from salon.world.scene import Scene, Thing, held_out, sample_scene

#: The six that make up `overall`, then three of this world.
GENEVAL = ("single_object", "two_object", "counting", "colors", "position", "color_attr")
TASKS = (*GENEVAL, "style", "place", "landscape")
#: The first seed of the scenes of each task; far above what training sets use.
FIRST_SEED = 3_000_000_000
SEEDS_A_TASK = 10_000_000
#: Scenes looked at for the prompts of a task before it is taken to have no more.
MOST_LOOKS = 40_000


class Prompt(Struct, frozen=True, kw_only=True):
    """One prompt of a task, what it asks for, and a scene of the world that shows it."""

    task: str
    text: str
    wanted: Wanted
    scene: Scene

    @property
    def composition(self) -> str:
        """What is asked for, however it is said: prompts of one composition are no independent looks."""
        return content_hash(self.wanted)


def _pick(rng: np.random.Generator, options) -> str:
    options = list(options)
    return options[rng.integers(len(options))]


def _natural(thing: Thing) -> Thing:
    return replace(thing, colour=words.BY_NAME[thing.noun].colour, painted=False)


def _painted(thing: Thing, colour: str) -> Thing:
    return replace(thing, colour=colour, painted=True)


def _bare(scene: Scene, things: tuple[Thing, ...] | None = None) -> Scene:
    """The scene without style, on white; its things in their own colours unless others are given."""
    things = things if things is not None else tuple(map(_natural, scene.things))
    return replace(scene, style=None, place="plain", ground="white", things=things)


def _sample(seed: int, kind: str) -> Scene:
    return sample_scene(seed, "any", {kind: 1.0})


Made = tuple[str, Wanted, Scene] | None


def _on(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """(words, label) of where the scene's thing stands."""
    if scene.place == "plain":
        return f"on {article(scene.ground or 'white')} background", f"plain {scene.ground}"
    return _pick(rng, words.PLACES[scene.place]), f"at {scene.place}"


def _somewhere(seed: int, rng: np.random.Generator) -> tuple[str, str, str, Scene] | None:
    """(noun, prompt, label of the ground, scene) of one thing on a ground where training never saw it."""
    scene = _sample(seed, "single")
    scene = replace(scene, style=None, things=tuple(map(_natural, scene.things)))
    noun = scene.things[0].noun
    if not held_out(noun, f"at {scene.ground or scene.place}"):
        return None
    where, label = _on(scene, rng)
    return noun, f"{named(noun)} {where}", label, scene


def _single_object(seed: int, rng: np.random.Generator) -> Made:
    found = _somewhere(seed, rng)
    return found and (found[1], Wanted(things=(Want(name=found[0]),)), found[3])


def _place(seed: int, rng: np.random.Generator) -> Made:
    found = _somewhere(seed, rng)
    return found and (found[1], Wanted(place=found[2]), found[3])


def _counting(seed: int, rng: np.random.Generator) -> Made:
    scene = _sample(seed, "count")
    # few pairs of noun and number are held out: half of the prompts name a ground too
    scene = _bare(scene) if seed % 2 else replace(scene, style=None, things=tuple(map(_natural, scene.things)))
    noun, number = scene.things[0].noun, len(scene.things)
    if not held_out(noun, f"times {number}"):
        return None
    where = "" if seed % 2 else f" {_on(scene, rng)[0]}"
    text = f"{words.NUMBERS[number]} {words.BY_NAME[noun].plural}{where}"
    return text, Wanted(things=(Want(name=noun, count=number),)), scene


def _colors(seed: int, rng: np.random.Generator) -> Made:
    scene, colour = _sample(seed, "single"), _pick(rng, words.TINTS)
    noun = scene.things[0].noun
    if not held_out(noun, f"colour {colour}"):
        return None
    scene = _bare(scene, (_painted(scene.things[0], colour),))
    return _coloured(noun, colour), Wanted(things=(Want(name=noun, colour=colour),)), scene


def _coloured(noun: str, colour: str) -> str:
    return f"{colour} {noun}" if named(noun) == noun else article(f"{colour} {noun}")


def _pair(seed: int) -> Scene | None:
    """Two things on white that training never saw together."""
    scene = _bare(_sample(seed, "pair"))
    return scene if held_out(*(thing.noun for thing in scene.things)) else None


def _side_by_side(seed: int) -> Scene | None:
    """The same, next to each other."""
    scene = _pair(seed)
    return replace(scene, relation="next to") if scene and scene.relation not in ("above", "below") else None


def _two_object(seed: int, rng: np.random.Generator) -> Made:
    scene = _side_by_side(seed)
    if scene is None:
        return None
    first, second = (thing.noun for thing in scene.things)
    text = f"{named(first)} {_pick(rng, words.RELATIONS['next to'])} {named(second)}"
    return text, Wanted(things=(Want(name=first), Want(name=second))), scene


def _position(seed: int, rng: np.random.Generator) -> Made:
    scene = _pair(seed)
    if scene is None or scene.relation in (None, "next to"):
        return None
    first, second = (thing.noun for thing in scene.things)
    text = f"{named(first)} {_pick(rng, words.RELATIONS[scene.relation])} {named(second)}"
    return text, Wanted(things=(Want(name=first), Want(name=second)), relation=scene.relation), scene


def _color_attr(seed: int, rng: np.random.Generator) -> Made:
    scene = _side_by_side(seed)
    if scene is None:
        return None
    colours = [words.TINTS[i] for i in rng.choice(len(words.TINTS), 2, replace=False)]
    scene = _bare(scene, tuple(map(_painted, scene.things, colours)))
    nouns = [thing.noun for thing in scene.things]
    wants = tuple(Want(name=noun, colour=colour) for noun, colour in zip(nouns, colours, strict=True))
    return " and ".join(map(_coloured, nouns, colours)), Wanted(things=wants), scene


def _styled(style: str, phrase: str, rng: np.random.Generator) -> str:
    head, _, tail = phrase.partition(" ")
    bare = tail if head in ("a", "an", "the") else phrase
    return _pick(rng, words.STYLES[style]).replace("{bare}", bare).replace("{}", phrase)


def _style(seed: int, rng: np.random.Generator) -> Made:
    style = list(words.STYLES)[seed % len(words.STYLES)]
    scene = replace(_bare(_sample(seed, "single")), style=style)
    noun = scene.things[0].noun
    if not held_out(noun, f"style {style}"):
        return None
    return _styled(style, named(noun), rng), Wanted(style=style), scene


def _landscape(seed: int, rng: np.random.Generator) -> Made:
    scene = _sample(seed, "landscape")
    if not scene.style or not held_out(f"{scene.place} {scene.light}", f"style {scene.style}"):
        return None
    said = "" if scene.place == "night sky" else _pick(rng, words.LIGHTS[scene.light])
    phrase = f"{_pick(rng, words.LANDSCAPES[scene.place])} {said}".strip()
    light = scene.light if said else None
    wanted = Wanted(style=scene.style, place=f"land {scene.place}", light=light)
    return _styled(scene.style, phrase, rng), wanted, scene


MAKERS: dict[str, Callable[[int, np.random.Generator], Made]] = {
    "single_object": _single_object, "two_object": _two_object, "counting": _counting, "colors": _colors,
    "position": _position, "color_attr": _color_attr, "style": _style, "place": _place, "landscape": _landscape,
}  # fmt: skip


def _candidates(task: str) -> Iterator[Prompt]:
    first = FIRST_SEED + TASKS.index(task) * SEEDS_A_TASK
    for seed in range(first, first + MOST_LOOKS):
        made = MAKERS[task](seed, np.random.default_rng((seed, 4)))
        if made:
            yield Prompt(task=task, text=made[0], wanted=made[1], scene=made[2])


def prompts(task: str, number: int) -> list[Prompt]:
    """The first `number` prompts of a task, all different, always the same in one world; fewer if it has no more."""
    found: dict[str, Prompt] = {}
    for prompt in _candidates(task):
        if len(found) == number:
            break
        found.setdefault(prompt.text, prompt)
    return list(found.values())


def again(scene: Scene, number: int) -> list[Scene]:
    """The scene painted `number` times by other chance: grounds and brush strokes differ."""
    return [replace(scene, seed=scene.seed + SEEDS_A_TASK * len(TASKS) * turn) for turn in range(number)]


def truth(scene: Scene) -> Verdict:
    """The verdict of a judge who knows the scene."""
    things = tuple(Seen(box=t.box, score=1.0, name=t.noun, colour=t.colour) for t in scene.things)
    kind = "land" if scene.kind == "landscape" else "plain" if scene.place == "plain" else "at"
    return Verdict(
        readable=True, things=things, style=scene.style,
        place=f"{kind} {scene.ground if kind == 'plain' else scene.place}",
        light=scene.light if kind == "land" else None,
        presentation=scene.presentation, tone=scene.tone, country=scene.country,
    )  # fmt: skip
