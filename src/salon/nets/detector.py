"""A small detector for 64 px pictures of the world: what stands where, in which colour, how drawn, on what ground."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: the tables of `names` that are told of every cell; all others are told of the whole picture
CELL_TABLES = ("things", "colours")
#: numbers of a cell before its tables: heat of a centre (logit), offset of the centre in cells (x, y), size
GEOMETRY = 4


class Layer(nn.Module):
    """3x3 (or 1x1) convolution, batch normalisation, ReLU. Folded: the same with the normalisation inside the
    convolution, as it is exported."""

    def __init__(self, inputs: int, outputs: int, side: int = 3, stride: int = 1, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Block(nn.Module):
    """Two layers beside a skip (He et al. 2016, arXiv 1603.05027)."""

    def __init__(self, channels: int, norm: bool) -> None:
        super().__init__()
        self.first, self.second = Layer(channels, channels, norm=norm), Layer(channels, channels, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


class Detector(nn.Module):
    """[B,3,64,64] in [-1,1] -> `cells` [B,4+things+colours,16,16] and `summary` [B,1+styles+places+...].

    `cells` after CenterNet (Zhou et al. 2019, arXiv 1904.07850): a heat map whose peaks are centres, the offset
    (in cells) and size (in quarters of the side) of what stands there, and logits of its name and colour. `summary`:
    a logit that the picture can be read at all, then the logits of each further table of `names`, in their order."""

    def __init__(
        self, names: dict[str, list[str]], widths: tuple[int, int, int, int] = (32, 80, 120, 96), norm: bool = True
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"names": names, "widths": list(widths), "norm": norm}
        first, middle, deep, last = widths
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(2),
            Layer(12, first, norm=norm),
            Layer(first, middle, stride=2, norm=norm),
            Block(middle, norm),
            Block(middle, norm),
        )
        self.coarse = nn.Sequential(Layer(middle, deep, stride=2, norm=norm), Block(deep, norm), Block(deep, norm))
        self.up = Layer(deep, middle, 1, norm=norm)
        self.join = Layer(middle, last, norm=norm)
        self.cells = nn.Conv2d(last, GEOMETRY + sum(len(names[table]) for table in CELL_TABLES), 1)
        told = sum(len(table) for name, table in names.items() if name not in CELL_TABLES)
        self.summary = nn.Linear(middle + 2 * deep, 1 + told)
        with torch.no_grad():  # centres are rare: start by saying so (Lin et al. 2017, arXiv 1708.02002)
            self.cells.bias[0] = -4.0

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(image)
        coarse = self.coarse(fine)
        joined = self.join(fine + F.interpolate(self.up(coarse), scale_factor=2, mode="nearest"))
        pooled = torch.cat([fine.mean((2, 3)), coarse.mean((2, 3)), coarse.amax((2, 3))], 1)
        return self.cells(joined), self.summary(pooled)

    @torch.no_grad()
    def folded(self) -> "Detector":
        """The same function without normalisation layers: each is inside the convolution before it."""
        if not self.config["norm"]:
            return self
        out = Detector(**self.config | {"norm": False})
        for (_, mine), (_, theirs) in zip(self.named_modules(), out_modules(out, self), strict=True):
            if isinstance(mine, Layer):
                scale = mine.norm.weight / torch.sqrt(mine.norm.running_var + mine.norm.eps)
                theirs.conv.weight.copy_(mine.conv.weight * scale[:, None, None, None])
                theirs.conv.bias.copy_(mine.norm.bias - mine.norm.running_mean * scale)
        out.cells.load_state_dict(self.cells.state_dict())
        out.summary.load_state_dict(self.summary.state_dict())
        return out.eval()


def out_modules(out: nn.Module, like: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules of `out` under the names that `like` has."""
    return [(name, out.get_submodule(name)) for name, _ in like.named_modules()]
