"""Two towers that bring pictures and captions to one place (CLIP, Radford et al. 2021, arXiv 2103.00020)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD = 64


class Layer(nn.Module):
    """Pre-norm self-attention and MLP (ViT, arXiv 2010.11929)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.mlp_in, self.mlp_out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (self.out, self.mlp_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """x [B,T,D], bias [B,1,1,T] added to the attention's logits."""
        return self.traced(x, bias)[0]

    def traced(self, x: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The same, and the attention [B,heads,T,T]: each row is where a token looks, and sums to 1."""
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        weights = (qkv[0] * HEAD**-0.5) @ qkv[1].transpose(-1, -2)
        weights = (weights if bias is None else weights + bias).softmax(-1).to(qkv.dtype)
        x = x + self.out((weights @ qkv[2]).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.norm2(x)))), weights


class ImageTower(nn.Module):
    """[B,3,64,64] in [-1,1] -> [B,embed] of length 1. Tokens are 8x8 pixels; the mean of all is what is said."""

    def __init__(self, width: int, depth: int, embed: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(12, width // 2, 3, padding=1), nn.SiLU(), nn.Conv2d(width // 2, width, 4, 4)
        )
        self.position = nn.Parameter(torch.randn(64, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, embed, bias=False)

    def features(self, image: Tensor, depth: int) -> Tensor:
        """What the tower makes of each token, [B,64,width], after so many of its layers."""
        x = self.stem(image).flatten(2).transpose(1, 2) + self.position
        for layer in self.layers[:depth]:
            x = layer(x)
        return x

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image, len(self.layers))
        return F.normalize(self.head(self.norm(x).mean(1)).float(), dim=-1)


class TextTower(nn.Module):
    """Token embeddings [B,L,384] of the frozen text encoder and mask [B,L] -> [B,embed] of length 1."""

    def __init__(self, width: int, depth: int, embed: int, text_width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, embed, bias=False)

    def forward(self, prompt_embeds: Tensor, prompt_mask: Tensor) -> Tensor:
        weight = prompt_mask.to(prompt_embeds.dtype)
        x, bias = self.stem(prompt_embeds), (weight[:, None, None] - 1) * 1e4
        for layer in self.layers:
            x = layer(x, bias)
        x = (self.norm(x) * weight[:, :, None]).sum(1) / weight.sum(1, keepdim=True).clamp(min=1.0)
        return F.normalize(self.head(x).float(), dim=-1)


class Clip(nn.Module):
    """Both towers and the temperature by which cosines are multiplied."""

    def __init__(
        self, width: int = 192, depth: int = 6, text_depth: int = 2, embed: int = 256, text_width: int = 384
    ) -> None:
        super().__init__()
        self.config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.image = ImageTower(width, depth, embed)
        self.text = TextTower(width, text_depth, embed, text_width)
        self.log_scale = nn.Parameter(torch.tensor(math.log(14.0)))

    @property
    def scale(self) -> Tensor:
        """At most 100, as in the paper."""
        return self.log_scale.exp().clamp(max=100.0)

    def forward(self, image: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings of pictures and of captions, both [B,embed]."""
        return self.image(image), self.text(prompt_embeds, prompt_mask)
