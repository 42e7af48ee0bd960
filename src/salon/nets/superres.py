"""Super-resolution by diffusion: 64 px told at what noise they are, to 256 px, all work at 64 px."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from salon.nets.autoencoder import Residual
from salon.nets.transformer import FREQUENCIES, timestep_features
from salon.nets.upscaler import SCALE, bilinear_taps


class Told(Residual):
    """A residual block whose inside is scaled and shifted a channel (FiLM, arXiv 1709.07871)."""

    def forward(self, x: Tensor, film: Tensor) -> Tensor:
        scale, shift = film[:, :, None, None].chunk(2, 1)
        inside = self.first(F.silu(x)) * (1 + scale) + shift
        return x + self.second(F.silu(inside))


class SuperResolution(nn.Module):
    """Predicts x0 [B,3,256,256] of a noisy sample, from the small picture and from how much noise was put on that
    (noise-conditioning augmentation, Ho et al. 2021, arXiv 2106.15282; Imagen, arXiv 2205.11487). Sub-pixel
    convolutions keep all work at 64 px."""

    def __init__(self, width: int = 48, depth: int = 7, text_width: int = 384) -> None:
        super().__init__()
        self.config = {"width": width, "depth": depth, "text_width": text_width}
        self.skip = nn.Conv2d(3, 3 * SCALE * SCALE, 3, padding=1, padding_mode="replicate", bias=False)
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.noisy = nn.Conv2d(3 * SCALE * SCALE, width, 3, padding=1)
        self.told = nn.Sequential(nn.Linear(4 * FREQUENCIES, 2 * width), nn.SiLU())
        self.text = nn.Linear(text_width, 2 * width, bias=False)
        self.film = nn.Linear(2 * width, depth * 2 * width)
        self.blocks = nn.ModuleList(Told(width) for _ in range(depth))
        self.tail = nn.Conv2d(width, 3 * SCALE * SCALE, 3, padding=1)
        self.shuffle = nn.PixelShuffle(SCALE)
        for layer in (self.noisy, self.tail, self.film):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.skip.weight.copy_(bilinear_taps())

    def forward(
        self, sample: Tensor, timestep: Tensor, small: Tensor, small_level: Tensor, prompt_embed: Tensor
    ) -> Tensor:
        """sample [B,3,256,256], timestep [B] in [0,1]; small [B,3,64,64] with noise of level `small_level` [B] on it;
        prompt_embed [B,384], the mean of a prompt's token embeddings (zeros: none) -> x0 [B,3,256,256]."""
        told = self.told(torch.cat([timestep_features(timestep), timestep_features(small_level)], 1))
        films = self.film(told + self.text(prompt_embed)).chunk(len(self.blocks), 1)
        x = self.stem(small) + self.noisy(F.pixel_unshuffle(sample, SCALE))
        for block, film in zip(self.blocks, films):
            x = block(x, film)
        return self.shuffle(self.skip(small) + self.tail(F.silu(x)))
