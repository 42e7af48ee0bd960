"""What each network learns: its batches, its loss, its measures on held-out scenes, its sheet of samples.

All chance comes from the generator that the loop hands in, so that a resumed run goes on as if never stopped."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.nets.adapter import add_adapter
from salon.nets.autoencoder import gradient_l1
from salon.train import text
from salon.train.base import HELD_OUT, SIDE, Task, tile
from salon.train.data import Scenes, Shard
from salon.train.lessons import CaptionTask
from salon.train.weights import load_into, load_net, weights_key
from salon.world.vocabulary import HAND_SHARES

#: held-out scenes on which errors of x0 are measured
MEASURED = 96
CELLS = 64
#: pictures over which an autoencoder's latents are measured at the end
SETTLE = 3072

PROMPTS = (
    "a red apple on the grass",
    "a cat in the snow",
    "a dog on the beach",
    "three bananas on a blue background",
    "a rocket in space",
    "a blue car in the desert",
    "a sailboat on the ocean, oil painting",
    "pixel art of a dragon in a forest",
    "a watercolor of a rose",
    "a house in the mountains",
    "a pencil sketch of a horse",
    "a painting of a river in the impressionist style of Claude Monet",
    "a cat to the left of a tree",
    "a pizza above a dog",
    "two red hearts on a white background",
    "a robot at night",
    "a purple elephant in a green field",
    "an octopus in the sea",
    "a penguin in the snow",
    "a lion in a meadow",
    "a worker in Northmark",
    "a castle on a purple background",
    "a city under the night sky",
    "a doctor",
)


class AutoencoderTask(Task):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.net = self.net.to(memory_format=torch.channels_last)

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        images, crop = self.pixels(self.scenes, self.draw(count, generator)), self.options["crop"]
        y, x = torch.randint(0, (SIDE - crop) // 4 + 1, (2,), generator=generator).mul(4).tolist()
        images = images[..., y : y + crop, x : x + crop].contiguous(memory_format=torch.channels_last)
        shape = (count, self.net.config["channels"], crop // 4, crop // 4)
        strength = self.uniform((count, 1, 1, 1), generator) * self.options["latent_noise"]
        return images, strength * self.normal(shape, generator)

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        images, noise = batch
        latents = self.net.encode(images)
        decoded = self.net.decode(latents + noise)
        small = self.net.decode(F.avg_pool2d(latents, 2))
        shrunk = self.distance(small, F.avg_pool2d(images, 2))
        full = self.distance(decoded, images)
        total = full + self.options["shrink_weight"] * shrunk
        return {"loss": total, "full": full.detach(), "shrunk": shrunk.detach()}

    @torch.no_grad()
    def settle(self, net: nn.Module) -> None:
        """Measure the latents' mean and variance anew over many pictures: the running statistics lag behind the
        weights (a standard deviation of 0.7 instead of 1 was seen), and the transformer counts on unit variance."""
        norm = net.encoder.norm
        norm.reset_running_stats()
        norm.momentum, before = None, norm.momentum  # None: the plain mean over all batches
        net.train()
        for start in range(self.first, min(len(self.scenes), self.first + SETTLE), 128):
            indices = list(range(start, min(len(self.scenes), start + 128)))
            net.encode(self.pixels(self.scenes, indices))
        norm.momentum = before
        net.eval()

    def distance(self, decoded: Tensor, images: Tensor) -> Tensor:
        return (decoded - images).abs().mean() + self.options["gradient_weight"] * gradient_l1(decoded, images)

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        images = self.pixels(self.held, self.held_indices)
        return float(self.distance(net.eval()(images), images))

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        images = self.pixels(self.held, self.held_indices)
        return {"mse": float((net.eval()(images).clamp(-1, 1) - images).square().mean())}

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        images = self.pixels(self.held, self.held_indices[:32])
        return tile(torch.stack([images, net.eval()(images)], 1).flatten(0, 1), 16, 3)


class TransformerTask(CaptionTask):
    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        super().__init__(recipe, data, device)
        self.codec: nn.Module | None = None
        if path := self.options["autoencoder"]:
            self.codec = load_net(Path(path), "autoencoder").to(device)
            self.codec_key = weights_key(Path(path), "autoencoder")
        self.adapt()
        if self.net.grid**2 != CELLS:
            raise TrainingError("The transformer works on 64 tokens.", "Choose net.size and net.patch so.")
        expected = (self.codec.config["channels"], SIDE // 4) if self.codec else (3, SIDE)
        if (self.net.channels, self.net.grid * self.net.patch) != expected:
            hint = f"They must be {expected}; is task.autoencoder set?"
            raise TrainingError("net.channels and net.size do not fit the autoencoder.", hint)
        self.plain: list[int] | None = None
        self.latents: dict[Path, np.ndarray | None] = {}
        self.refresh()
        self.prompts = tuple(part.to(device) for part in text.pad(text.encode(PROMPTS)))

    def adapt(self) -> None:
        """Take the base's weights, and put an adapter on them, if the recipe says so."""
        if self.options["base"]:
            load_into(self.net, Path(self.options["base"]), "transformer")
        if self.options["adapter_rank"]:
            if not self.options["base"]:
                raise TrainingError("An adapter needs a network to adapt.", "Set task.base to its weights.")
            add_adapter(self.net, self.options["adapter_rank"])

    def refresh(self) -> None:
        """Take in new shards, captions and latents."""
        super().refresh()
        for shard in self.shards():
            if shard.path not in self.latents:
                self.latents[shard.path] = self._latents(shard)

    @torch.no_grad()
    def _latents(self, shard: Shard) -> np.ndarray | None:
        """Unit-variance latents [N,C,16,16] float16 of a shard, cached beside it under the autoencoder's key."""
        if self.codec is None:
            return None

        def make() -> np.ndarray:
            parts = []
            for start in range(0, len(shard), 128):
                images = shard.images[start : start + 128].astype(np.float32) / 127.5 - 1
                tensor = torch.from_numpy(images).permute(0, 3, 1, 2).to(self.device)
                small = F.avg_pool2d(tensor, tensor.shape[-1] // SIDE) if tensor.shape[-1] != SIDE else tensor
                parts.append(self.codec.encode(small).half().cpu().numpy())
            return np.concatenate(parts)

        return shard.cached(f"latents-{self.codec_key}", make)

    def clean(self, scenes: Scenes, indices: list[int]) -> Tensor:
        """x0 of scenes: latents, or pixels where there is no autoencoder."""
        if self.codec is None:
            return self.pixels(scenes, indices).contiguous()
        arrays = [self.latents[shard.path] for shard in scenes.shards]
        return torch.from_numpy(scenes.gather(arrays, indices).astype(np.float32)).to(self.device)

    def timesteps(self, count: int, generator: Generator) -> Tensor:
        """Logit-normal (arXiv 2403.03206), one from each of `count` equal parts, so that batches are alike."""
        quantiles = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        normal = torch.special.ndtri(quantiles.clamp(1e-4, 1 - 1e-4))
        return torch.sigmoid(normal * self.options["time_std"] + self.options["time_mean"])

    def batch(self, count: int, generator: Generator) -> tuple[Tensor, ...]:
        indices, picks = self.choose(count, generator).unbind(1)
        indices = indices.tolist()
        dropped = torch.rand(count, generator=generator) < self.options["caption_drop"]
        embeds, mask = self.captions(self.scenes, indices, picks.masked_fill(dropped, -1).tolist())
        clean = self.clean(self.scenes, indices)
        labels = torch.from_numpy(self.scenes.labels(indices)).to(self.device)
        timestep = self.timesteps(count, generator).to(self.device)
        batch = (clean, self.normal(clean.shape, generator), timestep, embeds, mask, labels)
        return (*batch, self.route(generator)) if self.options["skip"] else batch

    def flow_loss(self, prediction: Tensor, clean: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """Mean squared error of the velocity; for x0 prediction the same error, with its weight bounded."""
        if self.net.prediction_type == "flow":
            return (prediction - (noise - clean)).square().mean()
        weight = timestep.clamp(min=0.05) ** -2
        return ((prediction - clean).square().mean((1, 2, 3)) * weight).mean()

    def loss(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        clean, noise, timestep, embeds, mask, labels, *rest = batch
        routed = rest[0] if rest else None
        sample = torch.lerp(clean, noise, timestep[:, None, None, None])
        if self.options["guidance"]:
            clean, noise = self.guided(sample, timestep, embeds, mask, clean, noise)
        if self.net.label_head is None or not self.options["label_weight"]:
            prediction = self.net(sample, timestep, embeds, mask, routed=routed)
            return {"loss": self.flow_loss(prediction, clean, noise, timestep)}
        prediction, logits = self.net(sample, timestep, embeds, mask, teach=True, routed=routed)
        labels = labels if routed is None else labels[:, routed]
        if int(labels.max()) >= logits.shape[-1]:
            raise TrainingError(f"The data name noun {int(labels.max())}.", "Raise net.labels above it.")
        flow = self.flow_loss(prediction, clean, noise, timestep)
        label = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
        total = flow + self.options["label_weight"] * label
        return {"loss": total, "flow": flow.detach(), "label": label.detach()}

    def route(self, generator: Generator) -> Tensor:
        """The tokens of a step that go the whole way, in order."""
        kept = max(1, round(CELLS * (1 - self.options["skip"])))
        return torch.randperm(CELLS, generator=generator)[:kept].sort().values.to(self.device)

    @torch.no_grad()
    def guided(
        self, sample: Tensor, timestep: Tensor, embeds: Tensor, mask: Tensor, clean: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x0 and noise as guidance by `task.guidance` beyond 1 would have them: the network learns to be guided
        without a second call (model guidance, arXiv 2502.12154). Pictures without a caption stay as they are."""
        both = self.denoised(
            self.net, sample.repeat(2, 1, 1, 1), timestep.repeat(2), embeds.repeat(2, 1, 1), torch.cat([mask, mask * 0])
        ).float()
        torch.clear_autocast_cache()  # it holds weights without their gradients now
        with_text, without = both.chunk(2)
        told = (mask.sum(1) > 0).to(clean.dtype)[:, None, None, None]
        clean = clean + told * (self.options["guidance"] - 1) * (with_text - without)
        level = timestep[:, None, None, None]
        return clean, (sample - (1 - level) * clean) / level.clamp(min=1e-3)

    def denoised(self, net: nn.Module, sample: Tensor, timestep: Tensor, embeds: Tensor, mask: Tensor) -> Tensor:
        prediction = net(sample, timestep, embeds, mask)
        return sample - timestep[:, None, None, None] * prediction if net.prediction_type == "flow" else prediction

    def show(self, clean: Tensor) -> Tensor:
        """x0 as pictures in [-1,1]."""
        return (self.codec.decode(clean) if self.codec is not None else clean).clamp(-1, 1)

    def held_batch(self, indices: list[int]) -> tuple[Tensor, ...]:
        """x0, noise, timestep, embeddings, mask of held-out scenes: the same at every call."""
        fixed = Generator().manual_seed(7)
        clean = self.clean(self.held, indices)
        noise, timestep = self.normal(clean.shape, fixed), self.timesteps(len(indices), fixed).to(self.device)
        return clean, noise, timestep, *self.captions(self.held, indices, [0] * len(indices))

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        clean, noise, timestep, embeds, mask = self.held_batch(self.held_indices[:HELD_OUT])
        sample = torch.lerp(clean, noise, timestep[:, None, None, None])
        return float(self.flow_loss(net.eval()(sample, timestep, embeds, mask), clean, noise, timestep))

    def plain_scenes(self) -> list[int]:
        """Held-out scenes whose things are by the world's most frequent hand, which is what a caption that names no
        hand may well mean."""
        usual, found = max(HAND_SHARES, key=HAND_SHARES.__getitem__), []
        for start, shard in zip(self.held.starts, self.held.shards):
            if shard.path.with_suffix(".scenes.jsonl").exists():
                scenes = enumerate(shard.scenes(), int(start))
                found += [i for i, scene in scenes if all(thing.hand == usual for thing in scene.things)]
        known = set(self.held_indices)
        return [i for i in found if i in known] or self.held_indices

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """`x0_mse_*`: squared error of the picture denoised in one step from t = 0.3, 0.6, 0.9, 1 (noise alone), in 64
        px RGB, so that latents and pixels can be compared; on scenes by the usual hand."""
        net.eval()
        if self.plain is None:
            self.plain = self.plain_scenes()[:MEASURED]
        clean, noise, _, embeds, mask = self.held_batch(self.plain)
        truth, out = self.pixels(self.held, self.plain), {}
        for t in (0.3, 0.6, 0.9, 1.0):
            level = torch.full((len(clean),), t, device=self.device)
            denoised = self.denoised(net, torch.lerp(clean, noise, t), level, embeds, mask)
            out[f"x0_mse_{t}"] = float((self.show(denoised) - truth).square().mean())
        return out

    @torch.no_grad()
    def sample(self, net: nn.Module, embeds: Tensor, mask: Tensor, seed: int, steps: int, guidance: float) -> Tensor:
        """Pictures of prompts by Euler steps with classifier-free guidance (arXiv 2207.12598)."""
        net.eval()
        side = net.grid * net.patch
        sample = self.normal((len(embeds), net.channels, side, side), Generator().manual_seed(seed))
        levels = torch.linspace(1, 0, steps + 1).tolist()
        embeds, mask = torch.cat([embeds, embeds]), torch.cat([mask, mask * 0])
        for now, following in itertools.pairwise(levels):
            timestep = torch.full((len(embeds),), now, device=self.device)
            with_text, without = self.denoised(net, sample.repeat(2, 1, 1, 1), timestep, embeds, mask).chunk(2)
            clean = without + guidance * (with_text - without)
            sample = clean + (sample - clean) * (following / now)
        return self.show(sample)

    def sheet(self, net: nn.Module) -> np.ndarray:
        options = self.options
        images = self.sample(net, *self.prompts, 1, options["sheet_steps"], options["sheet_guidance"])
        return tile(images, 8, 3)


TASKS: dict[str, type[Task]] = {
    "autoencoder": AutoencoderTask,
    "transformer": TransformerTask,
}
