"""A light network that makes 256 px of 64 px: all its work is done at 64 px."""

import torch
from torch import Tensor, nn

from salon.nets.autoencoder import Residual

SCALE = 4


def bilinear_taps() -> Tensor:
    """[48,3,3,3]: weights of a convolution that, before a pixel shuffle by 4, is bilinear enlargement."""
    offsets = (torch.arange(SCALE) + 0.5) / SCALE - 0.5
    line = torch.stack([(-offsets).clamp(min=0), 1 - offsets.abs(), offsets.clamp(min=0)], 1)  # [4,3]
    kernel = torch.einsum("iy,jx->ijyx", line, line).reshape(SCALE * SCALE, 3, 3)
    taps = torch.zeros(3, SCALE * SCALE, 3, 3, 3)
    for colour in range(3):
        taps[colour, :, colour] = kernel
    return taps.reshape(3 * SCALE * SCALE, 3, 3, 3)


class Upscaler(nn.Module):
    """[B,3,H,W] in [-1,1] -> [B,3,4H,4W]: residual blocks, then sub-pixel convolution (Shi et al. 2016,
    arXiv 1609.05158) beside a learnt linear enlargement that starts out bilinear."""

    def __init__(self, width: int = 48, depth: int = 8) -> None:
        super().__init__()
        self.config = {"width": width, "depth": depth}
        self.skip = nn.Conv2d(3, 3 * SCALE * SCALE, 3, padding=1, padding_mode="replicate", bias=False)
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Residual(width) for _ in range(depth)))
        self.tail = nn.Conv2d(width, 3 * SCALE * SCALE, 3, padding=1)
        self.shuffle = nn.PixelShuffle(SCALE)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)
        with torch.no_grad():
            self.skip.weight.copy_(bilinear_taps())

    def forward(self, image: Tensor) -> Tensor:
        detail = self.tail(nn.functional.silu(self.blocks(self.stem(image))))
        return self.shuffle(self.skip(image) + detail)
