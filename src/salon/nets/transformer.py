"""The rectified-flow transformer: 64 tokens of latents or of pixels, told by text what to become."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD = 64
#: frequencies of the timestep's sinusoids
FREQUENCIES = 64


def rotary_tables(grid: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines [grid*grid, HEAD] of two-dimensional rotary positions (RoFormer, arXiv 2104.09864):
    half of a head turns with the row, half with the column."""
    quarter = HEAD // 4
    frequency = 1.0 / 100.0 ** (torch.arange(quarter) / quarter)
    place = torch.arange(grid).float()
    rows = place.repeat_interleave(grid)[:, None] * frequency
    columns = place.repeat(grid)[:, None] * frequency
    angles = torch.cat([rows, columns], 1).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (d, d + HEAD/2) of the last axis by its angle."""
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat([-right, left], -1) * sin


def timestep_features(timestep: Tensor) -> Tensor:
    """[B] in [0,1] -> [B, 2*FREQUENCIES] sines and cosines."""
    steps = torch.arange(FREQUENCIES, device=timestep.device, dtype=torch.float32)
    angles = timestep[:, None] * torch.exp(steps * (math.log(400.0) / (FREQUENCIES - 1)))
    return torch.cat([angles.sin(), angles.cos()], 1)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Softmax attention [B,heads,T,HEAD] and its weights [B,heads,T,L], written out: on 64 tokens it trains a quarter
    faster on a CPU than the fused kernel, whose backward pass is made for long sequences (docs/training.md)."""
    weights = (query * HEAD**-0.5) @ key.transpose(-1, -2)
    weights = (weights if bias is None else weights + bias).softmax(-1)
    return weights.to(value.dtype) @ value, weights


class Block(nn.Module):
    """Self-attention, cross-attention to the text, gated MLP. Outputs start at zero: the block is the identity
    before it has learnt. `table` is added to the modulation shared by all blocks (adaLN-single, PixArt-alpha,
    arXiv 2310.00426); queries and keys are normalised (arXiv 2302.05442)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width, self.heads = width, width // HEAD
        hidden = 64 * round(width * 8 / 3 / 64)
        self.table = nn.Parameter(torch.randn(6, width) * 0.02)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.head_norm = nn.LayerNorm(HEAD)
        self.out = nn.Linear(width, width)
        self.cross_norm = nn.LayerNorm(width)
        self.cross_query = nn.Linear(width, width, bias=False)
        self.cross_query_norm, self.cross_key_norm = nn.LayerNorm(HEAD), nn.LayerNorm(HEAD)
        self.cross_out = nn.Linear(width, width)
        self.mlp_in = nn.Linear(width, 2 * hidden)
        self.mlp_out = nn.Linear(hidden, width)
        for layer in (self.out, self.cross_out, self.mlp_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def _self_attention(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, tokens, width = x.shape[0], x.shape[1], self.width
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        query, key = rotate(self.head_norm(qkv[:2]), cos, sin).unbind(0)
        seen, _ = attend(query, key, qkv[2])
        return self.out(seen.transpose(1, 2).reshape(batch, tokens, width))

    def _cross_attention(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        batch, tokens, width = x.shape[0], x.shape[1], self.width
        query = self.cross_query(self.cross_norm(x)).reshape(batch, tokens, self.heads, HEAD).transpose(1, 2)
        query, key = self.cross_query_norm(query), self.cross_key_norm(key)
        seen, weights = attend(query, key, value, bias)
        return self.cross_out(seen.transpose(1, 2).reshape(batch, tokens, width)), weights

    def forward(self, x, modulation, rotary, key, value, bias):
        """x [B,T,D], modulation [B,6,D], key and value [B,heads,L+1,HEAD], bias [B,1,1,L+1] -> x, weights."""
        scale1, shift1, gate1, scale2, shift2, gate2 = (modulation + self.table)[:, :, None].unbind(1)
        normal = F.layer_norm(x, (self.width,))
        x = x + (1 + gate1) * self._self_attention(normal * (1 + scale1) + shift1, *rotary)
        seen, weights = self._cross_attention(x, key, value, bias)
        x = x + seen
        normal = F.layer_norm(x, (self.width,))
        gate, up = self.mlp_in(normal * (1 + scale2) + shift2).chunk(2, -1)
        return x + (1 + gate2) * self.mlp_out(F.silu(gate) * up), weights


class Transformer(nn.Module):
    """Predicts the flow (`noise - x0`) or x0 of a sample (rectified flow, arXiv 2209.03003).

    `channels`, `size`, `patch`: the sample is [B,channels,size,size], cut into (size/patch)^2 tokens: 8, 16, 2
    for latents, 3, 64, 8 for pixels. `bottleneck` numbers (0: none) are all that enters of a token ("Back to
    Basics", arXiv 2511.13720). `labels` > 0 adds a head that names, from the middle of the network, the noun
    under each token: a teacher for training only (in the spirit of REPA, arXiv 2410.06940)."""

    def __init__(
        self,
        channels: int = 8,
        size: int = 16,
        patch: int = 2,
        width: int = 256,
        depth: int = 8,
        text_width: int = 384,
        bottleneck: int = 0,
        labels: int = 0,
        prediction_type: str = "flow",
    ) -> None:
        super().__init__()
        self.config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.patch, self.grid, self.width, self.depth, self.heads = patch, size // patch, width, depth, width // HEAD
        self.channels, self.prediction_type = channels, prediction_type
        numbers = channels * patch * patch
        self.stem = nn.Linear(numbers, width)
        if bottleneck:
            self.stem = nn.Sequential(nn.Linear(numbers, bottleneck, bias=False), nn.Linear(bottleneck, width))
        self.position = nn.Parameter(torch.randn(self.grid**2, width) * 0.02)
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))
        self.text_norm = nn.LayerNorm(text_width)
        self.text = nn.Linear(text_width, width)
        self.pooled = nn.Linear(text_width, width)
        self.null = nn.Parameter(torch.randn(1, 1, width) * 0.5)
        self.modulation = nn.Linear(width, 6 * width)
        self.cross_kv = nn.Linear(width, depth * 2 * width, bias=False)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.final_table = nn.Parameter(torch.zeros(2, width))
        self.final_time = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, numbers)
        self.label_head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, labels)) if labels else None
        for layer in (self.modulation, self.final_time, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        cos, sin = rotary_tables(self.grid)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def patchify(self, sample: Tensor) -> Tensor:
        """[B,C,S,S] -> [B,grid*grid,C*patch*patch]."""
        g, p = self.grid, self.patch
        cut = sample.reshape(-1, self.channels, g, p, g, p).permute(0, 2, 4, 1, 3, 5)
        return cut.reshape(-1, g * g, self.channels * p * p)

    def unpatchify(self, tokens: Tensor) -> Tensor:
        """The way back of `patchify`."""
        g, p = self.grid, self.patch
        cut = tokens.reshape(-1, g, g, self.channels, p, p).permute(0, 3, 1, 4, 2, 5)
        return cut.reshape(-1, self.channels, g * p, g * p)

    def _condition(self, timestep: Tensor, prompt_embeds: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Modulation [B,D] of time and pooled text; keys and values of all blocks; bias [B,1,1,L+1]."""
        batch, length, _ = prompt_embeds.shape
        weight = mask[:, :, None]
        text = self.text_norm(prompt_embeds) * weight
        pooled = text.sum(1) / weight.sum(1).clamp(min=1.0)
        signal = F.silu(self.time(timestep_features(timestep)) + self.pooled(pooled))
        tokens = torch.cat([self.null.expand(batch, 1, -1), self.text(text)], 1)
        kv = self.cross_kv(tokens).reshape(batch, length + 1, self.depth, 2, self.heads, HEAD)
        bias = (torch.cat([torch.ones_like(mask[:, :1]), mask], 1) - 1.0) * 1e4
        return signal, kv.permute(2, 3, 0, 4, 1, 5), bias[:, None, None]

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        prompt_embeds: Tensor,
        prompt_mask: Tensor,
        trace: bool = False,
        teach: bool = False,
        routed: Tensor | None = None,
    ):
        """sample [B,C,S,S], timestep [B] in [0,1] (1: pure noise), prompt_embeds [B,L,384], prompt_mask [B,L]
        (0: no such token; all 0: unconditional) -> prediction [B,C,S,S]. With `trace` also the cross-attention
        [B,depth,heads,tokens,L+1]; with `teach` also the label logits [B,tokens,labels]. Only the tokens `routed` [K]
        go through the blocks between the first and the last, the others skip them, and the logits are of those
        (TREAD, arXiv 2501.04765: for training only)."""
        signal, kv, bias = self._condition(timestep, prompt_embeds, prompt_mask.to(sample.dtype))
        modulation = self.modulation(signal).reshape(-1, 6, self.width)
        x = self.stem(self.patchify(sample)) + self.position
        maps, middle, whole, rotary = [], x, x, (self.cos, self.sin)
        for index, block in enumerate(self.blocks):
            if routed is not None and index == 1:
                whole, x, rotary = x, x[:, routed], (self.cos[routed], self.sin[routed])
            if routed is not None and index == self.depth - 1:
                x, rotary = whole.index_copy(1, routed, x.to(whole.dtype)), (self.cos, self.sin)
            keys, values = kv[index, 0], kv[index, 1]
            x, weights = block(x, modulation, rotary, keys, values, bias)
            maps.append(weights)
            if index + 1 == self.depth // 2:
                middle = x if routed is None or x.shape[1] == len(routed) else x[:, routed]
        scale, shift = (self.final_time(signal).reshape(-1, 2, self.width) + self.final_table).unbind(1)
        x = F.layer_norm(x, (self.width,)) * (1 + scale[:, None]) + shift[:, None]
        prediction = self.unpatchify(self.head(x))
        if trace:
            return prediction, torch.stack(maps, 1)
        return (prediction, self.label_head(middle)) if teach else prediction
