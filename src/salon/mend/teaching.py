"""Fine-tuning as jobs of their own: two at a time, a core or two each, with progress; one that diverges is stopped and
takes nothing else down."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from salon.mend.splitting import MendError

#: seconds between two looks at a running lesson
LOOK_S = 2.0
RECIPE = "latent-flawed"


class Lesson(NamedTuple):
    """A fine-tune: its name, the folders it learns from, its run's folder."""

    name: str
    data: Sequence[Path]
    run: Path


class Taught(NamedTuple):
    """What became of a lesson: why it stopped, or nothing."""

    name: str
    run: Path
    stopped: str


def command(lesson: Lesson, base: Path, init: Path | None, images: int, threads: int,
            sets: Mapping[str, object]) -> list[str]:  # fmt: skip
    """The command line of a lesson."""
    options = {"images": images, "base": base, "autoencoder": base, **sets}
    words = [sys.executable, "-m", "salon.train", RECIPE, "--data", *map(str, lesson.data), "--out", str(lesson.run),
             "--resume", "--threads", str(threads)]  # fmt: skip
    words += ["--init", str(init)] if init else []
    return words + [f"--set={name}={_text(value)}" for name, value in options.items()]


def _text(value: object) -> str:
    return json.dumps(str(value)) if isinstance(value, Path) else str(value)


def teach(lessons: Sequence[Lesson], commands: Sequence[Sequence[str]], images: int,
          say: Callable[[str, float], None]) -> list[Taught]:  # fmt: skip
    """Run all lessons side by side, each to its end; `say` hears name and share done. Raises MendError if none of
    them can be started, or if one of an earlier process still runs. Whoever stops this process stops them too."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        for lesson, words in zip(lessons, commands, strict=True):
            lesson.run.mkdir(parents=True, exist_ok=True)
            running.append(_start(lesson.run, words))
        while any(process.poll() is None for process in running):
            for lesson in lessons:
                say(lesson.name, min(1.0, done(lesson.run) / images))
            time.sleep(LOOK_S)
    except OSError as error:
        raise MendError(
            f"A lesson could not be started: {error}.", "Make room, or look at the run's folder."
        ) from error
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
    return [Taught(lesson.name, lesson.run, _why(lesson.run) if process.returncode else "")
            for lesson, process in zip(lessons, running, strict=True)]  # fmt: skip


def _start(run: Path, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start one lesson, which holds its folder's lock for as long as it lives, even if we do not. Raises MendError."""
    with (run / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hint = "Wait for it, or end it, then give the same command."
            raise MendError(f"A lesson still runs in {run}.", hint) from error
        with (run / "said.txt").open("wb") as said:
            return subprocess.Popen(words, stdout=said, stderr=said, env=_environment(), pass_fds=[lock.fileno()])


def _environment() -> dict[str, str]:
    """Threads that wait sleep: two lessons share the cores."""
    return os.environ | {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}


def done(run: Path) -> int:
    """Images that a run has seen, by its log."""
    try:
        return int(json.loads((run / "log.jsonl").read_text("utf-8").splitlines()[-1])["images"])
    except (OSError, ValueError, IndexError, KeyError):
        return 0


def minutes(run: Path) -> float:
    """How long a run has taught."""
    try:
        return float(json.loads((run / "log.jsonl").read_text("utf-8").splitlines()[-1])["seconds"]) / 60
    except (OSError, ValueError, IndexError, KeyError):
        return 0.0


def _why(run: Path) -> str:
    """The last thing a stopped lesson said."""
    lines = (run / "said.txt").read_text("utf-8", "replace").replace("\r", "\n").split("\n")
    said = [line.strip() for line in lines if line.strip() and "%|" not in line]
    return said[-1] if said else "It ended without a word."
