"""The token transformer: one code after the other, told by text which (dalle-mini's way, with a frozen encoder)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from salon.nets.transformer import HEAD, Block, attend, rotary_tables, rotate

CELLS = 64


class CausalBlock(Block):
    """A block whose tokens see only what was drawn before them; its parameters are those of `Block`."""

    def drawn(
        self, x: Tensor, cos: Tensor, sin: Tensor, past: tuple[Tensor, Tensor] | None, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Self-attention of x [B,T,D], under `bias`, to itself, or, of one token, to itself and to `past` keys and
        values [B,heads,P,HEAD]; with the new keys and values [B,heads,T,HEAD]. The past is read where it lies:
        joined to the new it would have to be copied."""
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        query, key = rotate(self.head_norm(qkv[:2]), cos, sin).unbind(0)
        value = qkv[2]
        if past is None:
            seen, _ = attend(query, key, value, bias)
        else:
            query = query * HEAD**-0.5
            own = (query * key).sum(-1, keepdim=True)
            weights = torch.cat([query @ past[0].transpose(-1, -2) + bias, own], -1).softmax(-1)
            seen = weights[..., :-1] @ past[1] + weights[..., -1:] * value
        return self.out(seen.transpose(1, 2).reshape(batch, tokens, width)), key, value

    def forward(self, x, modulation, rotary, key, value, bias, causal, past=None):
        """As `Block`; `causal` is the bias of the self-attention. Also the new keys and values."""
        scale1, shift1, gate1, scale2, shift2, gate2 = (modulation + self.table)[:, :, None].unbind(1)
        normal = F.layer_norm(x, (self.width,))
        seen, new_key, new_value = self.drawn(normal * (1 + scale1) + shift1, *rotary, past, causal)
        x = x + (1 + gate1) * seen
        seen, weights = self._cross_attention(x, key, value, bias)
        x = x + seen
        normal = F.layer_norm(x, (self.width,))
        gate, up = self.mlp_in(normal * (1 + scale2) + shift2).chunk(2, -1)
        return x + (1 + gate2) * self.mlp_out(F.silu(gate) * up), weights, new_key, new_value


class Painter(nn.Module):
    """Predicts the code at each place from all before it: first the rough codes of the 8x8 cells in reading order, then
    the fine ones, each told the rough code it refines. `levels` codes of `codes` kinds a cell."""

    def __init__(
        self, levels: int = 2, codes: int = 1024, width: int = 256, depth: int = 5, text_width: int = 384
    ) -> None:
        super().__init__()
        self.config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.levels, self.codes, self.width, self.depth, self.heads = levels, codes, width, depth, width // HEAD
        self.length = levels * CELLS
        self.embed = nn.Parameter(torch.randn(levels * codes + 1, width) * 0.02)  # the last: nothing drawn yet
        self.refines = nn.Parameter(torch.randn(width) * 0.5)  # scales the embedding of the rough code
        self.place = nn.Parameter(torch.randn(self.length, width) * 0.02)
        self.text_norm = nn.LayerNorm(text_width)
        self.text = nn.Linear(text_width, width)
        self.pooled = nn.Linear(text_width, width)
        self.null = nn.Parameter(torch.randn(1, 1, width) * 0.5)
        self.modulation = nn.Linear(width, 6 * width)
        self.cross_kv = nn.Linear(width, depth * 2 * width, bias=False)
        self.blocks = nn.ModuleList(CausalBlock(width) for _ in range(depth))
        self.final_table = nn.Parameter(torch.zeros(2, width))
        self.final_text = nn.Linear(width, 2 * width)
        self.loudness = nn.Parameter(torch.full((levels, 1), 0.5))
        for layer in (self.modulation, self.final_text):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        cos, sin = rotary_tables(8)
        self.register_buffer("cos", cos.repeat(levels, 1), persistent=False)
        self.register_buffer("sin", sin.repeat(levels, 1), persistent=False)

    def condition(self, prompt_embeds: Tensor, prompt_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What a prompt [B,L,384], mask [B,L] says to every step: keys and values [B,depth,2,heads,L+1,HEAD], bias
        [B,L+1] and signal [B,width]. A mask of zeros is no prompt."""
        batch, length, _ = prompt_embeds.shape
        mask = prompt_mask.to(prompt_embeds.dtype)
        text = self.text_norm(prompt_embeds) * mask[:, :, None]
        signal = F.silu(self.pooled(text.sum(1) / mask.sum(1, keepdim=True).clamp(min=1.0)))
        tokens = torch.cat([self.null.expand(batch, 1, -1), self.text(text)], 1)
        kv = self.cross_kv(tokens).reshape(batch, length + 1, self.depth, 2, self.heads, HEAD)
        bias = (torch.cat([torch.ones_like(mask[:, :1]), mask], 1) - 1.0) * 1e4
        return kv.permute(0, 2, 3, 4, 1, 5), bias, signal

    def reading(self, prompt_embeds: Tensor, prompt_mask: Tensor) -> tuple[Tensor, ...]:
        """What `step` wants of prompts: bias, signal, then keys and values of each block in turn [B,heads,L+1,HEAD]."""
        kv, bias, signal = self.condition(prompt_embeds, prompt_mask)
        return bias, signal, *kv.flatten(1, 2).unbind(1)

    def _finish(self, x: Tensor, signal: Tensor) -> Tensor:
        scale, shift = (self.final_text(signal).reshape(-1, 2, self.width) + self.final_table).unbind(1)
        return F.layer_norm(x, (self.width,)) * (1 + scale[:, None]) + shift[:, None]

    def forward(self, tokens: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor) -> Tensor:
        """All places at once, for training: tokens [B,levels*64] int64 (each below `codes`) -> logits
        [B,levels*64,codes]."""
        kv, bias, signal = self.condition(prompt_embeds, prompt_mask)
        kv, bias = kv.permute(1, 2, 0, 3, 4, 5), bias[:, None, None]
        offset = torch.arange(self.levels, device=tokens.device).repeat_interleave(CELLS) * self.codes
        before = F.pad((tokens + offset)[:, :-1], (1, 0), value=self.levels * self.codes)
        x = self.embed[before] + self.place
        x = x + F.pad(self.embed[tokens[:, : self.length - CELLS]] * self.refines, (0, 0, CELLS, 0))
        causal = torch.full((self.length, self.length), -1e4, device=tokens.device).triu(1)
        modulation = self.modulation(signal).reshape(-1, 6, self.width)
        for i, block in enumerate(self.blocks):
            x, *_ = block(x, modulation, (self.cos, self.sin), kv[i, 0], kv[i, 1], bias, causal)
        finished = self._finish(x, signal).unflatten(1, (self.levels, CELLS))
        return torch.einsum("blcd,lkd->blck", finished, self.answers()).flatten(1, 2)

    def answers(self) -> Tensor:
        """What the logits of each level are products with [levels,codes,width]: the codes' own embeddings."""
        return self.embed[:-1].reshape(self.levels, self.codes, self.width) * self.loudness[:, :, None]

    def step(
        self, before: Tensor, rough: Tensor, place: Tensor, text_bias: Tensor, signal: Tensor, *kept: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """One place each, for drawing. before [B] int64: the code drawn last (its level's offset added; levels*codes:
        none); rough [B]: the code this one refines (-1: none); place [B] of levels*64; text_bias, signal as `reading`
        gives them; kept: keys and values of each block in turn, first of what was drawn [B,heads,levels*64,HEAD],
        filled below `place`, then the text's, as `reading` gives them -> logits [B,codes], what to put into them at
        `place` [B,2*depth,heads,HEAD], cross-attention [B,depth,heads,L+1]."""
        refined = self.embed[rough.clamp(min=0)] * self.refines * (rough >= 0).to(self.refines.dtype)[:, None]
        x = (self.embed[before] + self.place[place] + refined)[:, None]
        rotary = self.cos[place][:, None, None], self.sin[place][:, None, None]
        ahead = (torch.arange(self.length, device=place.device)[None] >= place[:, None]).to(x.dtype) * -1e4
        modulation = self.modulation(signal).reshape(-1, 6, self.width)
        past, text = kept[: 2 * self.depth], kept[2 * self.depth :]
        new, maps = [], []
        for i, block in enumerate(self.blocks):
            x, weights, key, value = block(
                x, modulation, rotary, text[2 * i], text[2 * i + 1], text_bias[:, None, None],
                ahead[:, None, None], (past[2 * i], past[2 * i + 1]),
            )  # fmt: skip
            new += [key[:, :, 0], value[:, :, 0]]
            maps.append(weights[:, :, 0])
        x = self._finish(x, signal)[:, 0]
        logits = torch.einsum("bd,lkd->blk", x, self.answers())
        level = (place // CELLS)[:, None, None].expand(-1, 1, self.codes)
        return logits.gather(1, level)[:, 0], torch.stack(new, 1), torch.stack(maps, 1)

    def memory(self, batch: int) -> list[Tensor]:
        """An empty past."""
        shape = (batch, self.heads, self.length, HEAD)
        return [torch.zeros(shape, device=self.place.device) for _ in range(2 * self.depth)]
