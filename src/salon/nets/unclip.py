"""unCLIP's decoder: the pixel transformer, told a CLIP image embedding and a caption, or one of them."""

import torch
from torch import Tensor, nn

from salon.nets.transformer import Transformer

#: tokens that an image embedding becomes, as in the paper (Ramesh et al. 2022, arXiv 2204.06125, 2.1)
TOKENS = 4


class UnclipDecoder(Transformer):
    """`Transformer` whose context begins with tokens made of an image embedding of unit variance a number; a caption's
    follow, as in the paper."""

    def __init__(self, embed: int = 256, **config) -> None:
        super().__init__(**config)
        self.config |= {"embed": embed}
        self.image_tokens = nn.Linear(embed, TOKENS * self.config["text_width"])

    def tokens(self, image_embed: Tensor) -> Tensor:
        """[B,embed] -> [B,4,384]."""
        return self.image_tokens(image_embed).unflatten(1, (TOKENS, -1))

    def forward(self, sample: Tensor, timestep: Tensor, told: Tensor, mask: Tensor, **options):
        """As `Transformer`; told [B,1+L,384], of which the first row holds the image embedding, the others the caption;
        mask [B,1+L] (0: no such row)."""
        embed = told[:, 0, : self.config["embed"]]
        context = torch.cat([self.tokens(embed), told[:, 1:]], 1)
        mask = torch.cat([mask[:, :1].expand(-1, TOKENS), mask[:, 1:]], 1)
        return super().forward(sample, timestep, context, mask, **options)


class ImageTokens(nn.Module):
    """The part of the decoder that the engine calls once a picture."""

    def __init__(self, net: UnclipDecoder) -> None:
        super().__init__()
        self.image_tokens = net.image_tokens

    def forward(self, image_embed: Tensor) -> Tensor:
        return self.image_tokens(image_embed).unflatten(1, (TOKENS, -1))


def plain_transformer(net: UnclipDecoder) -> Transformer:
    """The decoder without its way in: what the adapter is added to."""
    plain = Transformer(**{k: v for k, v in net.config.items() if k != "embed"})
    plain.load_state_dict({k: v for k, v in net.state_dict().items() if not k.startswith("image_tokens.")})
    return plain.eval()
