"""What unCLIP's two halves learn: the prior, captions to CLIP image embeddings; the decoder, embeddings to pictures."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.nets.adapter import add_adapter
from salon.train.base import HELD_OUT, tile
from salon.train.data import Scenes, Shard
from salon.train.lessons import CaptionTask
from salon.train.tasks import TASKS, TransformerTask
from salon.train.weights import load_into, load_net, weights_key


class Embedded:
    """CLIP embeddings of pictures and captions, scaled to unit variance a number; of pictures cached a shard."""

    def __init__(self, path: str, device: torch.device) -> None:
        if not path:
            raise TrainingError("Embeddings need CLIP.", "Set task.clip_model to its run or weights folder.")
        self.net, self.key, self.device = (
            load_net(Path(path), "clip").to(device),
            weights_key(Path(path), "clip"),
            device,
        )
        self.length = self.net.config["embed"] ** 0.5
        self.images: dict[Path, np.ndarray] = {}

    @torch.no_grad()
    def add(self, shard: Shard) -> None:
        """Embeddings float16 [N,embed] of a shard's pictures."""

        def make() -> np.ndarray:
            parts = []
            for start in range(0, len(shard), 128):
                images = shard.images[start : start + 128].astype(np.float32) / 127.5 - 1
                tensor = torch.from_numpy(images).permute(0, 3, 1, 2).to(self.device)
                parts.append((self.net.image(tensor) * self.length).half().cpu().numpy())
            return np.concatenate(parts)

        if shard.path not in self.images:
            self.images[shard.path] = shard.cached(f"clip-{self.key}", make)

    def of(self, scenes: Scenes, indices: list[int]) -> Tensor:
        """[B,embed] of pictures."""
        arrays = [self.images[shard.path] for shard in scenes.shards]
        return torch.from_numpy(scenes.gather(arrays, indices).astype(np.float32)).to(self.device)

    @torch.no_grad()
    def told(self, embeds: Tensor, mask: Tensor) -> Tensor:
        """[B,embed] of captions; zeros for none."""
        there = (mask.sum(1, keepdim=True) > 0).to(embeds.dtype)
        return self.net.text(embeds, mask) * self.length * there


class PriorTask(CaptionTask):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.clip = Embedded(self.options["clip_model"], device)
        self.refresh()

    def refresh(self) -> None:
        """Take in new shards, captions and embeddings."""
        super().refresh()
        for shard in self.shards():
            self.clip.add(shard)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        dropped = torch.rand(count, generator=generator) < self.options["caption_drop"]
        captions = self.captions(self.scenes, indices.tolist(), picks.masked_fill(dropped, -1).tolist())
        clean = self.clip.of(self.scenes, indices.tolist())
        normal = torch.randn(count, generator=generator) * self.options["time_std"] + self.options["time_mean"]
        return clean, self.normal(clean.shape, generator), torch.sigmoid(normal).to(self.device), *captions

    def denoised(self, net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        clean, noise, level, embeds, mask = batch
        sample = torch.lerp(clean, noise, level[:, None])
        return net(sample, level, self.clip.told(embeds, mask), embeds, mask)

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        return {"loss": (self.denoised(self.net, batch).float() - batch[0]).square().mean()}

    def held_batch(self, level: float) -> tuple[Tensor, ...]:
        indices = self.held_indices[:HELD_OUT]
        clean = self.clip.of(self.held, indices)
        noise = self.normal(clean.shape, Generator().manual_seed(7))
        levels = torch.full((len(indices),), level, device=self.device)
        return clean, noise, levels, *self.captions(self.held, indices, [0] * len(indices))

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        batch = self.held_batch(0.7)
        return float((self.denoised(net.eval(), batch) - batch[0]).square().mean())

    @torch.no_grad()
    def draw_embeddings(self, net: nn.Module, embeds: Tensor, mask: Tensor, steps: int, guidance: float) -> Tensor:
        """[B,embed] of captions by Euler steps from noise."""
        told = self.clip.told(embeds, mask)
        sample = self.normal(told.shape, Generator().manual_seed(1))
        for now, after in pairwise(torch.linspace(1, 0, steps + 1).tolist()):
            level = torch.full((len(told),), now, device=self.device)
            with_text = net(sample, level, told, embeds, mask)
            without = net(sample, level, told * 0, embeds, mask * 0)
            clean = without + guidance * (with_text - without)
            sample = clean + (sample - clean) * (after / now)
        return sample

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Cosine of a drawn embedding to its picture's, beside those of the caption's own and of another picture's."""
        clean, _, _, embeds, mask = self.held_batch(1.0)
        drawn = self.draw_embeddings(net.eval(), embeds, mask, 10, 1.0)
        near = torch.nn.functional.cosine_similarity
        return {
            "cosine_prior": float(near(drawn, clean).mean()),
            "cosine_text": float(near(self.clip.told(embeds, mask), clean).mean()),
            "cosine_other": float(near(clean.roll(1, 0), clean).mean()),
        }

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        """For each of eight captions the held-out picture, and the three nearest to what the prior drew."""
        _, _, _, embeds, mask = (part[:8] for part in self.held_batch(1.0))
        drawn = self.draw_embeddings(net.eval(), embeds, mask, 10, 1.0)
        known = self.clip.of(self.held, list(range(len(self.held))))
        order = (drawn @ known.T).topk(min(3, len(known))).indices.tolist()
        rows = [[index, *found] for index, found in zip(self.held_indices, order)]
        return tile(self.pixels(self.held, [i for row in rows for i in row]), len(rows[0]), 2)


class DecoderTask(TransformerTask):
    """The cascade's base, grown by four tokens that a CLIP image embedding becomes. Half of the captions and a tenth of
    the embeddings are left away (Ramesh et al. 2022, arXiv 2204.06125, 2.1): it draws of both, or of either."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        self.clip = Embedded(recipe["task"]["clip_model"], device)
        super().__init__(recipe, data, device)

    def adapt(self) -> None:
        """Take the base's weights; what turns an embedding into tokens is new, and always learns."""
        options = self.options
        if options["base"]:
            load_into(self.net, Path(options["base"]), "transformer", fresh=("image_tokens.",))
        if options["adapter_rank"]:
            add_adapter(self.net, options["adapter_rank"], leave=("image_tokens",))

    def refresh(self) -> None:
        """Take in new shards and embeddings."""
        super().refresh()
        for shard in self.shards():
            self.clip.add(shard)

    def told(self, embed: Tensor, tokens: Tensor, mask: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """What the network reads, [B,1+L,384], and its mask: an image embedding [B,embed] in the first row (`there`
        [B]: 0 for none), a caption in the others."""
        first = torch.nn.functional.pad(embed, (0, tokens.shape[2] - embed.shape[1]))[:, None]
        return torch.cat([first, tokens], 1), torch.cat([there[:, None].to(mask.dtype), mask], 1)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        found = indices.tolist()
        blind, mute = (
            torch.rand(count, generator=generator) < self.options[name] for name in ("caption_drop", "text_drop")
        )
        clean = self.clean(self.scenes, found)
        timestep = self.timesteps(count, generator).to(self.device)
        tokens, mask = self.captions(self.scenes, found, picks.masked_fill(mute, -1).tolist())
        told = self.told(self.clip.of(self.scenes, found), tokens, mask, (~blind).float().to(self.device))
        return clean, self.normal(clean.shape, generator), timestep, *told, torch.zeros(count, 1)

    def held_batch(self, indices: list[int]) -> tuple[Tensor, ...]:
        """As `TransformerTask.held_batch`, of image embeddings without captions."""
        fixed = Generator().manual_seed(7)
        clean = self.clean(self.held, indices)
        noise, timestep = self.normal(clean.shape, fixed), self.timesteps(len(indices), fixed).to(self.device)
        none = torch.zeros(len(indices), 0, self.net.config["text_width"], device=self.device)
        ones = torch.ones(len(indices), device=self.device)
        return clean, noise, timestep, *self.told(self.clip.of(self.held, indices), none, none[..., 0], ones)

    def sheet(self, net: nn.Module) -> np.ndarray:
        """Rows of held-out pictures and, below each, what is drawn of its embedding alone; then of captions and their
        own embeddings."""
        indices, options = self.held_indices[:24], self.options
        steps, guidance = options["sheet_steps"], options["sheet_guidance"]
        _, _, _, *told = self.held_batch(indices)
        drawn, truth = self.sample(net, *told, 1, steps, guidance), self.pixels(self.held, indices)
        rows = [part for pair in zip(truth.split(8), drawn.split(8), strict=True) for part in pair]
        tokens, mask = self.prompts
        ones = torch.ones(len(tokens), device=self.device)
        told = self.told(self.clip.told(tokens, mask), tokens, mask, ones)
        return tile(torch.cat([*rows, self.sample(net, *told, 1, steps, guidance)]), 8, 3)


TASKS["prior"] = PriorTask
TASKS["decoder"] = DecoderTask
