"""Names of the world whose meaning is near a word's, by the model's own text encoder. Advice only."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from salon.core.errors import SalonError
from salon.core.home import socket_address
from salon.engine.client import RemoteEngine
from salon.world.vocabulary import suggestions

log = logging.getLogger("salon.web")

#: names offered for a word, and the cosine below which two words are strangers. Measured on the unknown words of
#: PartiPrompts (docs/guard.md): from 0.65 on 31 of 40 names would do in the word's place (hog: pig), from 0.6 to 0.65
#: 22 of 40 (leg: shoe), below that fewer (knight: carrot, 0.49)
MOST, LEAST_LIKENESS = 3, 0.65
#: texts a call: between two calls the engine takes a turn for those who draw
TEXTS = 16
#: seconds that advice may take
PATIENCE = 2.0
REMEMBERED = 2_000
#: who may ask or wait to ask at once: threads that wait for advice are missing where somebody wants to see a drawing
AT_ONCE = 2


class Neighbours:
    """Nearest names of words, remembered. One question at a time; every failure is an empty answer."""

    def __init__(self) -> None:
        self._lock, self._waiting = threading.Lock(), threading.Semaphore(AT_ONCE)
        self._names: NDArray[np.float32] | None = None  # [names, width], rows of length 1
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def known(self, word: str) -> tuple[str, ...]:
        """What has been found for `word` before, at once."""
        return self._known.get(word, ())

    def find(self, words: Sequence[str]) -> None:
        """Has the nearest names of `words` found, so that `known` knows them; gives up quietly after PATIENCE, or at
        once if others wait already."""
        new = [word for word in words if word not in self._known]
        if not new or not self._waiting.acquire(blocking=False):
            return
        try:
            self._ask(new)
        finally:
            self._waiting.release()

    def _ask(self, new: Sequence[str]) -> None:
        if not self._lock.acquire(timeout=PATIENCE):
            return
        try:
            # a fresh line each time: questions are rare, and an old line may lead to an engine that has died since
            with closing(RemoteEngine(socket_address(settings.HOME, "engine"), timeout=PATIENCE)) as engine:
                self._remember(new, self._nearest(engine, new))
        except SalonError as error:
            log.info("no near words: %s", error)
        finally:
            self._lock.release()

    def _nearest(self, engine: RemoteEngine, words: Sequence[str]) -> list[tuple[str, ...]]:
        names = suggestions()
        if self._names is None:
            self._names = _embed(engine, names)
        likeness = _embed(engine, words) @ self._names.T
        best = np.argsort(-likeness, axis=1)[:, :MOST]
        return [tuple(names[i] for i in row if likeness[at, i] >= LEAST_LIKENESS) for at, row in enumerate(best)]

    def _remember(self, words: Sequence[str], found: Sequence[tuple[str, ...]]) -> None:
        self._known.update(zip(words, found))
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _embed(engine: RemoteEngine, texts: Sequence[str]) -> NDArray[np.float32]:
    """[texts, width], a few at a time."""
    return np.concatenate([engine.embed(list(texts[at : at + TEXTS])) for at in range(0, len(texts), TEXTS)])


neighbours = Neighbours()
