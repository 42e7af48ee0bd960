"""CLIP's word on finished pictures: how near each is to its prompt. A courtesy: whatever goes wrong with it, the
pictures are handed out, only without scores."""

import logging
from collections.abc import Sequence

import numpy as np

from salon.core.update import Picture
from salon.engine.families.clip import Clip, Floats
from salon.engine.registry import Registry

log = logging.getLogger(__name__)


class Scorer:
    """Scores with the registry's first ready model of the family clip, opened when first needed."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._clip: Clip | None = None
        self._sought = False

    @property
    def clip(self) -> Clip | None:
        """CLIP, sought once; None where it is missing or damaged, and the log says why. Put back, it counts again from
        the next start."""
        if not self._sought:
            self._sought = True
            try:
                self._clip = self._open()
            except Exception as error:  # whatever it is: see above
                log.error("CLIP cannot be opened, so pictures get no scores: %s", error)
        return self._clip

    def _open(self) -> Clip | None:
        kin = [info for info in self.registry.infos() if "clip" in (info.family, info.name)]
        for info in kin:
            if info.ready:
                return self.registry.clip(info.name)
        why = " ".join(info.problem for info in kin) or "it is not installed."
        log.warning("pictures get no scores of CLIP: %s", why)
        return None

    def scores(self, pictures: Sequence[Picture], prompts: Sequence[str]) -> tuple[float, ...]:
        """The cosine of each picture, averaged down to 64 px, with its own prompt, in one batch; from -1 to 1, the
        nearer the larger. None at all (an empty tuple) without CLIP, or where a picture has no prompt."""
        if not pictures or not all(prompts) or self.clip is None:
            return ()
        try:
            texts = sorted(set(prompts))
            said = dict(zip(texts, self.clip.encode_text(texts)))
            seen = self.clip.encode_image(np.stack([pixels(picture) for picture in pictures]))
            return tuple(float(row @ said[prompt]) for row, prompt in zip(seen, prompts, strict=True))
        except Exception as error:  # as above
            log.error("CLIP gave no scores", exc_info=error)
            return ()


def pixels(picture: Picture) -> Floats:
    """RGB8 bytes -> [3, H, W] in [-1, 1]."""
    rgb = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
    return np.asarray(rgb.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1, np.float32)
