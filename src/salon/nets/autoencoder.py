"""A small convolutional autoencoder: 64 px pictures to latents of a quarter of the side, and back."""

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Two 3x3 convolutions beside a skip; the second starts at zero, so that no normalisation is needed
    (Fixup, Zhang et al. 2019, arXiv 1901.09321). Flat colours stay flat: no statistics of the whole picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        act = nn.functional.silu
        return x + self.second(act(self.first(act(x))))


def features(width: int) -> list[nn.Module]:
    """Layers from pictures [B,3,H,W] to features [B,width,H/4,W/4]."""
    return [
        nn.PixelUnshuffle(2),
        nn.Conv2d(12, width // 2, 3, padding=1),
        Residual(width // 2),
        nn.Conv2d(width // 2, width, 2, stride=2),
        Residual(width),
        Residual(width),
    ]


def pixels(width: int) -> list[nn.Module]:
    """Layers from features [B,width,H,W] to pictures [B,3,4H,4W]."""
    return [
        Residual(width),
        Residual(width),
        nn.Conv2d(width, width * 2, 1),
        nn.PixelShuffle(2),
        Residual(width // 2),
        Residual(width // 2),
        nn.SiLU(),
        nn.Conv2d(width // 2, 12, 3, padding=1),
        nn.PixelShuffle(2),
    ]


class Encoder(nn.Module):
    """[B,3,H,W] in [-1,1] -> [B,channels,H/4,W/4] of zero mean and unit variance a channel.

    The last layer is a batch normalisation without weights: its buffers hold the latents' mean and variance,
    so that what leaves the encoder is what the transformer learns, with no factor to carry along."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *features(width),
            nn.SiLU(),
            nn.Conv2d(width, channels, 1),
        )
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=0.05)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.body(image))


class Decoder(nn.Module):
    """[B,channels,H,W] of unit variance -> [B,3,4H,4W] in about [-1,1]. Fully convolutional: any H and W."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            *pixels(width),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.body(latents)


class Autoencoder(nn.Module):
    """Latent space after Rombach et al. 2022 (arXiv 2112.10752), without a discriminator: clean vector art has
    no texture to invent. `channels` numbers a latent cell; a cell covers 4x4 pixels."""

    def __init__(self, channels: int = 8, encoder_width: int = 96, decoder_width: int = 128) -> None:
        super().__init__()
        self.config = {"channels": channels, "encoder_width": encoder_width, "decoder_width": decoder_width}
        self.encoder = Encoder(channels, encoder_width)
        self.decoder = Decoder(channels, decoder_width)

    def encode(self, image: Tensor) -> Tensor:
        """[B,3,H,W] in [-1,1] -> unit-variance latents [B,C,H/4,W/4]."""
        return self.encoder(image)

    def decode(self, latents: Tensor) -> Tensor:
        """Unit-variance latents [B,C,H,W] -> [B,3,4H,4W]; clamp to [-1,1] before showing."""
        return self.decoder(latents)

    def forward(self, image: Tensor) -> Tensor:
        return self.decode(self.encode(image))


def gradient_l1(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the pictures' finite differences, down and across: punishes soft edges."""
    delta = image - target
    down, across = delta[..., 1:, :] - delta[..., :-1, :], delta[..., 1:] - delta[..., :-1]
    return torch.add(down.abs().mean(), across.abs().mean())
