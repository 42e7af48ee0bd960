"""What client and service say to each other: msgspec structs, MessagePack on the wire. Updates travel as they are."""

import msgspec
from msgspec import Struct

from salon.core import errors
from salon.core.errors import SalonError
from salon.core.update import (
    Cancelled,
    Failed,
    Finished,
    Preview,
    Queued,
    RefusedUpdate,
    StageDone,
    Started,
    Trace,
)
from salon.engine.models import ModelInfo

#: bytes of one message to the engine; a request of 16 long recipes has about 100 kB
LARGEST = 4_000_000
#: texts of one `Embed`
MOST_TEXTS = 4_096


class Submit(Struct, frozen=True, tag="submit"):
    """`request` is a core Request, still encoded: one that does not fit is refused by its id."""

    request: msgspec.Raw


class Cancel(Struct, frozen=True, tag="cancel"):
    id: str


class Ask(Struct, frozen=True, tag="ask"):
    """`what` is models, stats or hello; the answer carries the same `ref`."""

    ref: int
    what: str


class Embed(Struct, frozen=True, tag="embed"):
    ref: int
    texts: list[str]


class Shutdown(Struct, frozen=True, tag="shutdown"):
    pass


Command = Submit | Cancel | Ask | Embed | Shutdown


class Stats(Struct, frozen=True, kw_only=True, tag="stats"):
    """The engine's health. `instance` is another one after each start; `steps_per_s` counts samples, last minute."""

    ref: int = 0
    instance: str
    pid: int
    uptime_s: float
    waiting: int
    running: int
    rss_mb: float
    sample_steps: int
    steps_per_s: float
    models: tuple[str, ...]


class Models(Struct, frozen=True, tag="models"):
    ref: int
    models: list[ModelInfo]


class Embedded(Struct, frozen=True, tag="embedded"):
    """float32 rows, C order."""

    ref: int
    width: int
    data: bytes


class Problem(Struct, frozen=True, tag="problem"):
    """A SalonError in answer to `ref` (0: to a message that could not be read)."""

    ref: int
    code: str
    message: str
    hint: str


class Heartbeat(Struct, frozen=True, tag="heartbeat"):
    """Said twice a second between turns, and in answer to hello."""

    ref: int
    instance: str


Said = Queued | Started | Preview | Trace | StageDone | Finished | RefusedUpdate | Failed | Cancelled
Answer = Said | Stats | Models | Embedded | Problem | Heartbeat

encode = msgspec.msgpack.Encoder().encode
read_command = msgspec.msgpack.Decoder(Command).decode
read_answer = msgspec.msgpack.Decoder(Answer).decode


def error_of(code: str, message: str, hint: str = "") -> SalonError:
    """The SalonError of that code, as it was raised on the other side; one that only the other side knows keeps its
    code."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SalonError)]
    error = {kind.code: kind for kind in kinds}.get(code, SalonError)(message, hint)
    error.code = code or error.code
    return error
