"""Four machines, one prompt: which models stand side by side, and what the house says of each family."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from salon.engine.client import ModelInfo
from salon.web.sentences import spoken
from salon.web.station.domain.catalogue import drawable, public
from salon.web.station.domain.state import state_of
from salon.web.station.models import Request

Words = str | Promise
#: a press of the button; each machine's request has the key `<press>-<name>`
PRESS = re.compile(r"[0-9a-f]{16}")
#: pictures a machine, as the page offers them
COUNTS = (1, 4, 9)


@dataclass(frozen=True)
class Family:
    """`after`: what it follows; `how`: three sentences for passers-by; `drawing`: what its diagram shows."""

    after: Words
    how: tuple[Words, Words, Words]
    drawing: Words
    paper: str
    by: str


FAMILIES = {
    "latent": Family(
        gettext_lazy("latent diffusion"),
        (
            gettext_lazy("It never touches pixels at first: it begins with 16 × 16 cells of pure noise."),
            gettext_lazy("A transformer that has read your words pulls all cells at once towards a picture, step by step along a line as straight as it can."),  # noqa: E501
            gettext_lazy("A decoder turns the cells into a small picture of 64 × 64 pixels, and an upscaler makes it large."),  # noqa: E501
        ),
        gettext_lazy("Diagram: words and a grid of noise become a grid of cells, a small picture, a large picture."),
        "High-Resolution Image Synthesis with Latent Diffusion Models",
        "Rombach et al., 2022",
    ),
    "vq": Family(
        gettext_lazy("after dalle-mini"),
        (
            gettext_lazy("A tokenizer has learnt to spell any picture in 8 × 8 cells, with a rough and a fine code for each cell."),  # noqa: E501
            gettext_lazy("A transformer draws the codes one after another, as one writes a sentence: 64 rough ones, then 64 fine ones."),  # noqa: E501
            gettext_lazy("At every code it compares with what it would draw without your words, and pushes away from that, towards them."),  # noqa: E501
        ),
        gettext_lazy("Diagram: words become rough codes, one cell after another, then fine codes, then a picture."),
        "Zero-Shot Text-to-Image Generation; DALL·E mini",
        "Ramesh et al., 2021; Dayma et al., 2021",
    ),
    "cascade": Family(
        gettext_lazy("after Imagen"),
        (
            gettext_lazy("It begins with 64 × 64 pixels of pure noise, and has no code in between."),
            gettext_lazy("A transformer that has read your words takes noise off these pixels themselves, a little at every step."),  # noqa: E501
            gettext_lazy("A second diffusion model then draws the large picture, 256 × 256 pixels, out of noise again, with the small one before its eyes."),  # noqa: E501
        ),
        gettext_lazy("Diagram: words and pixels of noise become a small picture; with noise again, a large one."),
        "Photorealistic Text-to-Image Diffusion Models with Deep Language Understanding",
        "Saharia et al., 2022",
    ),
    "unclip": Family(
        gettext_lazy("after DALL·E 2"),
        (
            gettext_lazy("A prior turns your words into the point where CLIP, a model that matches pictures with words, would put a picture of them."),  # noqa: E501
            gettext_lazy("A decoder draws a small picture of that point; your words it is told once more, beside it."),
            gettext_lazy("The same enlarger as in the cascade draws it large, 256 × 256 pixels."),
        ),
        gettext_lazy("Diagram: words become one point among many; from the point comes a small picture, then a large one."),  # noqa: E501
        "Hierarchical Text-Conditional Image Generation with CLIP Latents",
        "Ramesh et al., 2022",
    ),
}  # fmt: skip


def after(family: str) -> str:
    """What a family follows, in words; a family that nobody has described has only its name."""
    return str(FAMILIES[family].after) if family in FAMILIES else family


def _model_of(family: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """The one that stands for a family: of its name, else ready, else any."""
    kin = [model for model in models if family in (model.family, model.name)]
    return min(kin, key=lambda model: (model.name != family, not model.ready), default=None)


def _machine(name: str, family: str, model: ModelInfo | None, known: bool) -> dict[str, Any]:
    """`ready` is None as long as no engine has said anything."""
    absent = _("This machine is not installed here.") if known else ""
    told = FAMILIES.get(family)
    return {
        "name": name,
        "family": family,
        "after": after(family),
        "told": told,
        "diagram": f"station/machines/{family}.html" if told else "",
        "ready": (drawable(model) if model else False) if known else None,
        "problem": spoken(model.problem) if model else absent,
        "stages": dict(model.stages) if model else {},
    }


def side_by_side(models: Sequence[ModelInfo]) -> list[dict[str, Any]]:
    """One machine a family: the four that the house describes, whether installed or not, then others that draw."""
    offered = public(models)
    found = {family: _model_of(family, offered) for family in FAMILIES}
    for model in offered:
        if drawable(model):
            found.setdefault(model.family, model)
    return [_machine(m.name if m else family, family, m, bool(models)) for family, m in found.items()]


def pressed(press: str, visitor: str | None) -> list[dict[str, Any]]:
    """How this visitor's requests of one press stand."""
    if visitor is None or not PRESS.fullmatch(press):
        return []
    rows = Request.objects.filter(visitor=visitor, key__startswith=f"{press}-").order_by("created_at")
    return [state_of(row) for row in rows]
