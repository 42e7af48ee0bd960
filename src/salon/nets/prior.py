"""unCLIP's prior: from a caption to the CLIP embedding that a picture of it might have."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from salon.nets.clip import Layer
from salon.nets.transformer import FREQUENCIES, timestep_features


class Prior(nn.Module):
    """Predicts x0, a CLIP image embedding, of a noisy one (Ramesh et al. 2022, arXiv 2204.06125, 2.2): a transformer
    over the caption's tokens, its CLIP embedding, the timestep, the noisy embedding, and a last token that answers.
    Embeddings are scaled to unit variance a number (length sqrt(embed))."""

    def __init__(self, embed: int = 256, width: int = 192, depth: int = 4, text_width: int = 384) -> None:
        super().__init__()
        self.config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.clip_text, self.noisy = nn.Linear(embed, width), nn.Linear(embed, width)
        self.time = nn.Linear(2 * FREQUENCIES, width)
        self.places = nn.Parameter(torch.randn(4, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, embed)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, sample: Tensor, timestep: Tensor, clip_text: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor
    ) -> Tensor:
        """sample [B,embed], timestep [B], clip_text [B,embed] (zeros: none), prompt_embeds [B,L,384], mask [B,L] ->
        x0 [B,embed]."""
        return self.traced(sample, timestep, clip_text, prompt_embeds, prompt_mask)[0]

    def traced(
        self, sample: Tensor, timestep: Tensor, clip_text: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The same, and where the answering token looks, [B,layers,heads,4+L]: at the caption's CLIP embedding, the
        time, the noisy embedding, itself, then at the prompt's tokens; each row sums to 1."""
        mask = prompt_mask.to(sample.dtype)
        four = torch.stack(
            [
                self.clip_text(clip_text),
                self.time(timestep_features(timestep)),
                self.noisy(sample),
                torch.zeros_like(self.noisy(sample)),
            ],
            1,
        )
        x = torch.cat([four + self.places, self.text(prompt_embeds)], 1)
        bias = F.pad(mask - 1, (4, 0))[:, None, None] * 1e4
        looks = []
        for layer in self.layers:
            x, weights = layer.traced(x, bias)
            looks.append(weights[:, :, 3])
        return self.head(self.norm(x[:, 3])) + sample * (1 - timestep[:, None]), torch.stack(looks, 1)
