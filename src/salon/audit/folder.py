"""The folder of one run: what was asked (`run.json`), every image's measurement (`images.jsonl`, a line each, on disk
before the next batch is drawn), and the images, small. A run that was killed goes on from there."""

import fcntl
import io
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
from msgspec import Struct
from PIL import Image

from salon.core.errors import Conflict, SalonError

#: side of the images that are kept for people to look at, in pixels; they are measured before, at full size
SHOWN = 128
OWN = ("run.json", "images.jsonl")

Outcome = Literal["drawn", "withheld", "refused"]


class FolderError(SalonError):
    """A run's folder that holds something else than this run."""

    code = "audit_folder"


class Look(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found in one image, by its recipe's name. `seen` is what the measure says; `embedding` is float16."""

    id: str
    model: str
    prompt: str
    seed: int
    outcome: Outcome
    seen: dict[str, Any] = {}
    embedding: bytes = b""


class Folder:
    """A run's folder, held by one process at a time. Raises Conflict, FolderError."""

    def __init__(self, place: Path, facts: dict[str, Any]) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()
        self.facts = self._same_run(facts)
        (place / "images").mkdir(exist_ok=True)
        self.looks = {look.id: look for look in self._read()}
        self._journal: IO[bytes] = (place / "images.jsonl").open("ab")

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()
        self._lock.close()

    def _locked(self) -> IO[bytes]:
        strange = [path.name for path in self.place.iterdir() if path.name != ".lock"]
        if strange and "run.json" not in strange:
            raise FolderError(f"{self.place} holds other files ({min(strange)}).", "Choose an empty or a new folder.")
        lock = (self.place / ".lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Conflict(f"Another process is at work in {self.place}.", "Wait for it, or end it.") from error
        return lock

    def _same_run(self, facts: dict[str, Any]) -> dict[str, Any]:
        """run.json, written if it is not there. Raises FolderError if it is of another run."""
        path = self.place / "run.json"
        if not path.exists():
            whole = {"started": datetime.now(UTC).isoformat(timespec="seconds"), **facts}
            _write(path, msgspec.json.format(msgspec.json.encode(whole), indent=1))
            return whole
        try:
            found: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError) as error:
            raise FolderError(f"{path} cannot be read: {error}.", "Choose a new folder.") from error
        now = msgspec.json.decode(msgspec.json.encode(facts))
        if differing := sorted(key for key in now if found.get(key) != now[key]):
            raise FolderError(f"{self.place} holds another run: its {' and '.join(differing)} is not the same.",
                              "Choose a new folder, or put back what that run was made with.")  # fmt: skip
        return found

    def _read(self) -> Iterable[Look]:
        """The looks so far. A last line that was cut off is taken away: its image is drawn again."""
        path = self.place / "images.jsonl"
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                yield msgspec.json.decode(line, type=Look)
            except (msgspec.DecodeError, UnicodeError) as error:
                message = f"Line {number} of {path} cannot be read: {error}."
                raise FolderError(message, "Remove that line: its image is drawn again.") from error

    def image_path(self, name: str) -> Path:
        """Where the small image of a recipe's name lies."""
        return self.place / "images" / f"{name}.webp"

    def add(self, found: Iterable[tuple[Look, Image.Image | None]]) -> None:
        """Write images, then their lines; when this returns they are on the disk."""
        lines = []
        for look, image in found:
            if image is not None:
                _write(self.image_path(look.id), _shown(image))
            self.looks[look.id] = look
            lines.append(msgspec.json.encode(look) + b"\n")
        self._journal.write(b"".join(lines))
        self._journal.flush()
        os.fsync(self._journal.fileno())


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)


def _shown(image: Image.Image) -> bytes:
    file = io.BytesIO()
    small = image.convert("RGB")
    small.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
    small.save(file, "WEBP", quality=78, method=4)
    return file.getvalue()
