"""Update: what the engine says while it works. Station, workshop, API and tests all read this one stream.

Order for one request: queued* started (preview | trace | stage_done)* then exactly one of finished, refused,
failed, cancelled. Images travel as raw RGB8 so that the engine knows no file format.
"""

from msgspec import Struct


class Picture(Struct, frozen=True, kw_only=True):
    """One image of a request: `index` is its place among the request's recipes; `rgb` is height*width*3 bytes."""

    index: int
    width: int
    height: int
    rgb: bytes


class Tensor(Struct, frozen=True, kw_only=True):
    """An array for looking inside: `data` is C-order bytes of `dtype` (NumPy name) and `shape`."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    data: bytes


class _Update(Struct, frozen=True, kw_only=True):
    request: str


class Queued(_Update, frozen=True, kw_only=True, tag="queued"):
    """`position` requests stand before this one (0: next)."""

    position: int


class Started(_Update, frozen=True, kw_only=True, tag="started"):
    """The first network call for this request is about to run."""


class Preview(_Update, frozen=True, kw_only=True, tag="preview"):
    """What the images would be if they stopped after `step` of `steps` of `stage`. Not every image in each."""

    stage: str
    step: int
    steps: int
    images: tuple[Picture, ...]


class Trace(_Update, frozen=True, kw_only=True, tag="trace"):
    """Inner tensors of `step` (attention, logits, embeddings), only for requests that asked for them."""

    stage: str
    step: int
    tensors: tuple[Tensor, ...]


class StageDone(_Update, frozen=True, kw_only=True, tag="stage_done"):
    """All images of the request have left `stage`."""

    stage: str


class Finished(_Update, frozen=True, kw_only=True, tag="finished"):
    """All images, in the order of the recipes; `seconds` is the time from started to finished. `withheld` are the
    indices of those that the image filter keeps back: they are drawn, and nobody sees them. `scores` says of each of
    `images`, in their order, how near CLIP finds it to its prompt (a cosine); empty if CLIP has not looked."""

    images: tuple[Picture, ...]
    seconds: float
    withheld: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()


class RefusedUpdate(_Update, frozen=True, kw_only=True, tag="refused"):
    """The request cannot be drawn as asked; `code` is a word of core.errors, `why` a sentence to print."""

    code: str
    why: str


class Failed(_Update, frozen=True, kw_only=True, tag="failed"):
    """The engine could not do it though it should have; `why` is a sentence to print."""

    code: str
    why: str


class Cancelled(_Update, frozen=True, kw_only=True, tag="cancelled"):
    """Its owner no longer wants it."""


Update = Queued | Started | Preview | Trace | StageDone | Finished | RefusedUpdate | Failed | Cancelled
FINAL = (Finished, RefusedUpdate, Failed, Cancelled)
