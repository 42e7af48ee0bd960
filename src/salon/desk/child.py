"""A child process that is started again when it dies and that never outlives the desk."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

log = logging.getLogger("salon.desk")

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

#: seconds before the first restart and the longest between two
FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0
#: a child that lived this long (seconds) is well again: its next death is a first one
WELL = 30.0


def _die_with_parent() -> None:
    """In the child before exec: the kernel kills it when the desk is gone, even by SIGKILL."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """Keeps `command` running. `on_start` and `on_exit` are told of each life of it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: dict[str, str],
        files: Sequence[int] = (),
        on_start: Callable[[], Awaitable[None]] | None = None,
        on_exit: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = environment
        self.files = tuple(files)
        self.on_start = on_start
        self.on_exit = on_exit
        self.process: asyncio.subprocess.Process | None = None
        self._stop = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.returncode is None else None

    async def keep(self) -> None:
        """Runs until `stop`, whatever happens. Waits between restarts, twice as long each time."""
        wait = FIRST_WAIT
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            began = loop.time()
            try:
                code: int | str = await self._live()
            except Exception as error:  # it cannot be started, or those who were told of it failed
                log.exception("%s: this life of it went wrong", self.name)
                await self._end()
                code = type(error).__name__
            if self._stop.is_set():
                return
            wait = FIRST_WAIT if loop.time() - began > WELL else wait
            log.warning("%s ended with status %s; it starts again in %.1f s", self.name, code, wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _live(self) -> int:
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            env=self.environment,
            pass_fds=self.files,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        if self.on_start:
            await self.on_start()
        code = await self.process.wait()
        self._sweep()
        if self.on_exit and not self._stop.is_set():
            await self.on_exit(code)
        return code

    async def _end(self) -> None:
        """No second life beside one that nobody looks after."""
        if self.process and self.process.returncode is None:
            self._sweep()
            await self.process.wait()

    def kill(self) -> None:
        """Ends this life of it at once; `keep` starts the next."""
        with suppress(ProcessLookupError):
            if self.process and self.process.returncode is None:
                self.process.kill()

    def _sweep(self) -> None:
        """Ends whatever the child started and left behind (its process group has its number)."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def stop(self, patience: float) -> None:
        """SIGTERM, `patience` seconds, SIGKILL."""
        self._stop.set()
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), patience)
        except TimeoutError:
            log.warning("%s did not stop in %.0f s and was ended", self.name, patience)
            await self._end()
