"""What the token transformer learns: the next code of a picture, from its caption and the codes before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.nets.painter import CELLS
from salon.nets.tokenizer import DecodeTokens, EncodeTokens
from salon.train import text
from salon.train.base import HELD_OUT, tile
from salon.train.data import Scenes
from salon.train.lessons import CaptionTask
from salon.train.tasks import PROMPTS, TASKS
from salon.train.weights import load_net


class PainterTask(CaptionTask):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        path = self.options["tokenizer"]
        if not path:
            raise TrainingError("Codes need a tokenizer.", "Set task.tokenizer to its run or weights folder.")
        tokenizer = load_net(Path(path), "tokenizer").to(device)
        found = tokenizer.config
        if (found["levels"], found["codes"]) != (self.net.levels, self.net.codes):
            raise TrainingError("The tokenizer has other codes.", f"Set net.levels and net.codes as in {path}.")
        self.encoder, self.decoder = EncodeTokens(tokenizer), DecodeTokens(tokenizer)
        self.refresh()
        self.prompts = tuple(part.to(device) for part in text.pad(text.encode(PROMPTS)))

    @torch.no_grad()
    def codes(self, scenes: Scenes, indices: list[int]) -> Tensor:
        """[B,levels*64] int64. Made anew each time: a twentieth of a step, and no scene is seen often."""
        return self.encoder(self.pixels(scenes, indices)).flatten(1)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        dropped = torch.rand(count, generator=generator) < self.options["caption_drop"]
        captions = self.captions(self.scenes, indices.tolist(), picks.masked_fill(dropped, -1).tolist())
        return self.codes(self.scenes, indices.tolist()), *captions

    def parts(self, net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Cross-entropy of each level's codes, in nats a code."""
        logits = net(*batch).float()
        each = F.cross_entropy(logits.flatten(0, 1), batch[0].flatten(), reduction="none")
        return each.reshape(len(batch[0]), -1, CELLS).mean((0, 2))

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        each = self.parts(self.net, batch)
        return {"loss": each.mean()} | {f"level_{i}": part.detach() for i, part in enumerate(each)}

    def held_batch(self, count: int) -> tuple[Tensor, ...]:
        indices = self.held_indices[:count]
        return self.codes(self.held, indices), *self.captions(self.held, indices, [0] * len(indices))

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        return float(self.parts(net.eval(), self.held_batch(HELD_OUT)).mean())

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Cross-entropy a level, and what it would be if the captions were hidden: text that is not read shows here."""
        codes, embeds, mask = self.held_batch(HELD_OUT)
        with_text, without = self.parts(net.eval(), (codes, embeds, mask)), self.parts(net, (codes, embeds, mask * 0))
        return {f"level_{i}_held": float(v) for i, v in enumerate(with_text)} | {
            f"level_{i}_untold": float(v) for i, v in enumerate(without)
        }

    @torch.no_grad()
    def sample(self, net: nn.Module, embeds: Tensor, mask: Tensor, seed: int, guidance: float, top_k: int) -> Tensor:
        """Pictures of prompts, guided on the logits (super-conditioning), at temperature 1."""
        generator, count = Generator().manual_seed(seed), len(embeds)
        bias, signal, *text = net.eval().reading(torch.cat([embeds, embeds]), torch.cat([mask, mask * 0]))
        past = net.memory(2 * count)
        drawn = torch.full((count, net.length), -1, device=embeds.device)
        before = torch.full((count,), net.levels * net.codes, device=embeds.device)
        for place in range(net.length):
            level = place // CELLS
            rough = drawn[:, place - CELLS] if level else torch.full_like(before, -1)
            here = torch.full((2 * count,), place, device=embeds.device)
            logits, new, _ = net.step(before.repeat(2), rough.repeat(2), here, bias, signal, *past, *text)
            for kept, fresh in zip(past, new.unbind(1)):
                kept[:, :, place] = fresh
            told, untold = logits.chunk(2)
            logits = untold + guidance * (told - untold)
            least = logits.topk(min(top_k, net.codes)).values[:, -1:]
            chances = logits.masked_fill(logits < least, float("-inf")).softmax(-1)
            drawn[:, place] = torch.multinomial(chances.cpu(), 1, generator=generator)[:, 0].to(embeds.device)
            before = drawn[:, place] + level * net.codes
        return self.decoder(drawn.unflatten(1, (net.levels, CELLS))).clamp(-1, 1)

    def sheet(self, net: nn.Module) -> np.ndarray:
        return tile(self.sample(net, *self.prompts, 1, self.options["sheet_guidance"], 256), 8, 3)


TASKS["painter"] = PainterTask
