"""A critic for training only: tells finished pictures from upscaled ones, piece by piece."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Critic(nn.Module):
    """[B,3,H,W] large and [B,3,H/4,W/4] small, both in [-1,1] -> [B,1,H/8,W/8], high where the large one looks
    finished (a patch critic, arXiv 1611.07004, with spectral norms below its head, arXiv 1802.05957). It sees the small
    picture, too: what it asks for must be finer, not other."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.config = {"width": width}
        sizes = (6, width, 2 * width, 4 * width)
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairwise(sizes))
        self.head = nn.Conv2d(sizes[-1], 1, 3, padding=1)

    def forward(self, large: Tensor, small: Tensor) -> Tensor:
        enlarged = F.interpolate(small, scale_factor=4, mode="nearest")
        x = torch.cat([large - enlarged, enlarged], 1)  # what was added, and to what
        for layer in self.down:
            x = F.leaky_relu(layer(x), 0.2)
        return self.head(x)
