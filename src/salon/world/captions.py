"""Captions: many ways to say what a scene shows, as people write prompts."""

import numpy as np

from salon.world import vocabulary as words
from salon.world.scene import Scene, Thing


def article(phrase: str) -> str:
    """The phrase with `a` or `an`."""
    return ("an " if phrase[0] in "aeio" or phrase.startswith(("ul", "um", "un ")) else "a ") + phrase


#: Said without `a`: several things, or stuff.
NO_ARTICLE = ("scissors", "cherries", "grapes", "corn", "maize", "coffee", "tea", "wine", "bread", "cheese")


def named(noun: str) -> str:
    """`an apple`; `grapes`, as captions say it."""
    return noun if noun in NO_ARTICLE else article(noun)


def _pick(rng: np.random.Generator, options) -> str:
    options = list(options)
    return options[rng.integers(len(options))]


def _noun(rng: np.random.Generator, name: str) -> str:
    also = words.BY_NAME[name].also
    return _pick(rng, also) if also and rng.random() < 0.18 else name


def _described(rng: np.random.Generator, thing: Thing, noun: str) -> str:
    """Hand and colour before the noun, as often as people would say them. A painted colour is always said."""
    said = [_pick(rng, words.PRAISE)] if rng.random() < 0.05 else []
    if rng.random() < 0.25:
        said.append(words.HANDS[thing.hand][1])
    if thing.colour and (thing.painted or rng.random() < 0.22):
        said.append(thing.colour)
    return " ".join([*said, noun])


def _one(rng: np.random.Generator, thing: Thing) -> str:
    noun = _noun(rng, thing.noun)
    phrase = _described(rng, thing, noun)
    return phrase if noun in NO_ARTICLE else article(phrase)


def _several(rng: np.random.Generator, scene: Scene) -> str:
    thing, number = scene.things[0], len(scene.things)
    said = words.NUMBERS[number] if rng.random() < 0.8 else str(number)
    if number == 2 and rng.random() < 0.1:
        said = "a pair of"
    return f"{said} {_described(rng, thing, words.BY_NAME[thing.noun].plural)}"


def _two(rng: np.random.Generator, scene: Scene) -> str:
    first, second = scene.things
    relation = scene.relation or "next to"
    if relation == "next to" and rng.random() < 0.5:
        first, second = second, first
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    if relation in opposite and rng.random() < 0.15:
        first, second, relation = second, first, opposite[relation]
    return f"{_one(rng, first)} {_pick(rng, words.RELATIONS[relation])} {_one(rng, second)}"


def _person(rng: np.random.Generator, scene: Scene) -> str:
    job = "worker" if rng.random() < 0.12 else _pick(rng, words.OCCUPATIONS[scene.occupation or ""][1])
    shown = words.PRESENTATIONS[scene.presentation or "person"][1]
    said = scene.presentation != "person" and rng.random() < 0.6
    tone = _pick(rng, words.TONES[scene.tone or "medium"]) if rng.random() < 0.3 else ""
    before, after = (tone, "") if tone.endswith("skinned") else ("", tone)
    if said and job != "worker" and rng.random() < 0.3:
        core = f"{article(' '.join([before, shown[0]]).strip())} working as {article(job)}"
    else:
        core = article(" ".join(filter(None, [before, _pick(rng, shown) if said else "", job])))
    country = f"{_pick(rng, ('in', 'in', 'from'))} {scene.country}" if scene.country else ""
    return " ".join(filter(None, [core, after, country]))


def _where(rng: np.random.Generator, scene: Scene) -> str:
    if scene.country:
        return ""
    if scene.place == "plain":
        if scene.ground == "white" and rng.random() < 0.6:
            return ""
        colour = article(scene.ground or "white")
        return _pick(rng, (f"on {colour} background", f"on {colour} background", f"on {scene.ground}",
                           f"against {colour} wall", f"{scene.ground} background"))  # fmt: skip
    return _pick(rng, words.PLACES[scene.place])


def _landscape(rng: np.random.Generator, scene: Scene) -> str:
    subject = _pick(rng, words.LANDSCAPES[scene.place])
    return f"{subject} {_pick(rng, words.LIGHTS[scene.light])}".strip() if scene.place != "night sky" else subject


_SUBJECTS = {"single": lambda rng, scene: _one(rng, scene.things[0]), "count": _several, "pair": _two,
             "person": _person, "landscape": _landscape}  # fmt: skip


def _bare(phrase: str) -> str:
    """The phrase without its leading article."""
    head, _, tail = phrase.partition(" ")
    return tail if head in ("a", "an", "the") and not tail.startswith("pair of") else phrase


def _joined(rng: np.random.Generator, scene: Scene, subject: str, where: str) -> str:
    """The subject, mostly with where it is. Sentences and keywords only where no style is to be said around them."""
    if not where or rng.random() < 0.08:
        return subject
    form = rng.random()
    if where.endswith(" background") and not where.startswith("on "):
        return f"{subject}, {where}"
    several = scene.kind == "count"
    if not scene.style and form < 0.08 and (several or subject.startswith(("a ", "an "))):
        return f"there {'are' if several else 'is'} {subject} {where}"
    if not scene.style and form < 0.14 and scene.place in words.PLACES:
        return f"{_bare(subject)}, {scene.place}"
    if form < 0.74:
        return f"{subject} {where}"
    return f"{subject}, {where}" if scene.style or form < 0.9 else f"{where}, {subject}"


def _styled(rng: np.random.Generator, style: str, phrase: str) -> str:
    if style in words.PAINTED and rng.random() < 0.12:
        return f"a painting of {phrase}"
    bare = _bare(phrase)
    form = _pick(rng, [form for form in words.STYLES[style] if bare != phrase or "{bare}" not in form])
    return form.replace("{bare}", bare).replace("{}", phrase)


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One caption of the scene. Everything it says is true; it may leave things out."""
    subject = _SUBJECTS[scene.kind](rng, scene)
    phrase = subject if scene.kind == "landscape" else _joined(rng, scene, subject, _where(rng, scene))
    if scene.style:
        return _styled(rng, scene.style, phrase)
    if not phrase.startswith(subject):
        return phrase
    form = rng.random()
    if form < 0.1:
        return f"{_pick(rng, words.REQUESTS)} {phrase}"
    return _bare(phrase) if form < 0.2 else phrase


def captions(scene: Scene, number: int) -> list[str]:
    """`number` captions of the scene, the same for the same scene."""
    rng = np.random.default_rng((scene.seed, 77))
    return [caption(scene, rng) for _ in range(number)]
