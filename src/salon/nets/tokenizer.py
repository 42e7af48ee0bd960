"""An image tokenizer: 64 px pictures to 8x8 cells of two codes each, a rough one and a fine one, and back."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from salon.nets.autoencoder import Residual, features, pixels

#: how much of a code's history is kept at each batch, and below what use it is replaced
CODE_DECAY, DEAD = 0.99, 0.03


class Codebooks(nn.Module):
    """Residual vector quantisation (Zeghidour et al. 2021, arXiv 2107.03312, after VQ-VAE, arXiv 1711.00937): the first
    book says what a cell is, the next what the first got wrong. Codes are means of what was assigned to them."""

    def __init__(self, levels: int, size: int, width: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.randn(levels, size, width) * 0.5, requires_grad=False)
        # nothing counted yet: every code is dead, and moves to a cell of the first batch
        self.register_buffer("counts", torch.zeros(levels, size), persistent=False)
        self.register_buffer("sums", self.codes.detach().clone(), persistent=False)

    def nearest(self, level: int, cells: Tensor) -> Tensor:
        """[N,width] -> index [N] of the nearest code."""
        codes = self.codes[level]
        with torch.autocast(cells.device.type, enabled=False):  # bfloat16 takes neighbours for the nearest
            return (codes.square().sum(1) - 2 * cells @ codes.T).argmin(1)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Cells [N,width] -> what each level adds [levels,N,width] and the codes [levels,N]. In training the codes
        follow the cells."""
        rest, added, picks = cells.float(), [], []
        for level in range(len(self.codes)):
            pick = self.nearest(level, rest)
            if self.training:
                self.follow(level, rest, pick)
            added.append(self.codes[level][pick])
            picks.append(pick)
            rest = rest - added[-1]
        return torch.stack(added), torch.stack(picks)

    @torch.no_grad()
    def follow(self, level: int, cells: Tensor, pick: Tensor) -> None:
        """Moving averages of what each code stands for; codes that nobody uses move to random cells."""
        size = self.codes.shape[1]
        counts = torch.zeros(size, device=cells.device).index_add_(0, pick, torch.ones_like(pick, dtype=cells.dtype))
        sums = torch.zeros_like(self.sums[level]).index_add_(0, pick, cells)
        self.counts[level].lerp_(counts, 1 - CODE_DECAY)
        self.sums[level].lerp_(sums, 1 - CODE_DECAY)
        dead = (self.counts[level] < DEAD).nonzero()[:, 0]
        if len(dead):
            chosen = cells[torch.randint(0, len(cells), (len(dead),), device=cells.device)]
            self.sums[level][dead], self.counts[level][dead] = chosen, 1.0
        self.codes[level] = self.sums[level] / self.counts[level][:, None]


class TokenEncoder(nn.Module):
    """[B,3,64,64] in [-1,1] -> cells [B,width,8,8] before they are rounded to codes."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*features(width))
        self.down = nn.Sequential(
            nn.Conv2d(width, width, 2, stride=2), Residual(width), nn.SiLU(), nn.Conv2d(width, channels, 1)
        )
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.05)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.down(self.body(image)))


class TokenDecoder(nn.Module):
    """Sums of codes [B,width,8,8] -> [B,3,64,64] in about [-1,1]."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.up = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            Residual(width),
            Residual(width),
            nn.Conv2d(width, width * 4, 1),
            nn.PixelShuffle(2),
        )
        self.body = nn.Sequential(*pixels(width))

    def forward(self, cells: Tensor) -> Tensor:
        return self.body(self.up(cells))


class DecodeTokens(nn.Module):
    """Codes [B,levels,64] int64 (-1: not drawn yet, counts as nothing) -> picture: what the engine calls."""

    def __init__(self, net: "Tokenizer") -> None:
        super().__init__()
        self.net = net

    def forward(self, tokens: Tensor) -> Tensor:
        codes, grid = self.net.books.codes, self.net.grid
        known, picks = (tokens >= 0).to(codes.dtype), tokens.clamp(min=0)
        cells = sum(codes[i][picks[:, i]] * known[:, i, :, None] for i in range(len(codes)))
        return self.net.decoder(cells.transpose(1, 2).reshape(-1, cells.shape[-1], grid, grid))


class EncodeTokens(nn.Module):
    """Picture -> codes [B,levels,64] int64."""

    def __init__(self, net: "Tokenizer") -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        rest = self.net.encoder(image).flatten(2).transpose(1, 2).float()
        picks = []
        for codes in self.net.books.codes.unbind(0):
            pick = (codes.square().sum(1) - 2 * rest @ codes.T).argmin(-1)
            picks.append(pick)
            rest = rest - codes[pick]
        return torch.stack(picks, 1)


class Tokenizer(nn.Module):
    """VQGAN's autoencoder (Esser et al. 2020, arXiv 2012.09841) with two codes a cell. Its discriminator and a
    perceptual distance join when the decoder is finished: see docs/families.md."""

    def __init__(
        self,
        levels: int = 2,
        codes: int = 1024,
        channels: int = 16,
        encoder_width: int = 96,
        decoder_width: int = 128,
    ) -> None:
        super().__init__()
        self.config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.grid, self.levels = 8, levels
        self.encoder, self.decoder = TokenEncoder(channels, encoder_width), TokenDecoder(channels, decoder_width)
        self.books = Codebooks(levels, codes, channels)

    def forward(self, image: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Picture, distance of the cells to their codes, and codes [levels,B*64]. `keep` [B,levels] 0 or 1: levels
        that are left out, so that the rough codes alone decode to a rough picture."""
        cells = self.encoder(image)
        rows = cells.permute(0, 2, 3, 1).flatten(0, 2)
        added, picks = self.books(rows.detach())
        if keep is None:
            keep = torch.ones(len(image), self.levels, device=image.device)
        weight = keep.T.repeat_interleave(self.grid**2, 1)[:, :, None]
        rounded = (added * weight).sum(0)
        commitment = F.mse_loss(rows.float(), added.sum(0))
        straight = rows + (rounded - rows).detach()
        return self.decoder(straight.reshape(*cells.shape[:1], 8, 8, -1).permute(0, 3, 1, 2)), commitment, picks
