"""Which ONNX files a network becomes: the module of each, what goes in, what comes out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from salon.nets.tokenizer import DecodeTokens, EncodeTokens
from salon.nets.unclip import ImageTokens


class Traced(nn.Module):
    """The transformer with its cross-attention as a second output."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, sample: Tensor, timestep: Tensor, prompt_embeds: Tensor, prompt_mask: Tensor):
        return self.net(sample, timestep, prompt_embeds, prompt_mask, trace=True)


class TracedTower(nn.Module):
    """CLIP's image tower with what each token would say alone as a second output, [B,64,embed] of length 1."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.net.norm(self.net.features(image, len(self.net.layers)))
        whole, each = self.net.head(tokens.mean(1)), self.net.head(tokens)
        return nn.functional.normalize(whole, dim=-1), nn.functional.normalize(each, dim=-1)


@dataclass(frozen=True)
class Piece:
    """One ONNX file of a network: the module that it computes, with inputs of a batch, the outputs' names, of which the
    first `main` are for drawing; `prefix` of its parameters' names, and which of them it holds."""

    name: str
    module: nn.Module
    inputs: Callable[[int], dict[str, Tensor]]
    outputs: tuple[str, ...]
    prefix: str = ""
    main: int = 1
    holds: Callable[[str], bool] = lambda name: True


#: what of a cross-attention or of what a prompt says grows with the prompt
LONG = {
    "prompt_embeds": 1, "prompt_mask": 1, "text_bias": 1,
}  # fmt: skip


def axes_of(piece: Piece, inputs: dict[str, Tensor]) -> dict[str, dict[int, str]]:
    """What may vary: the batch, and the length of a prompt."""
    axes = {name: {0: "batch"} for name in (*inputs, *piece.outputs)}
    axes |= {name: axes[name] | {at: "length"} for name, at in LONG.items() if name in axes}
    axes |= {name: axes[name] | {2: "length"} for name in axes if name.startswith(("text_keys_", "text_values_"))}
    if "attention" in axes:
        axes["attention"] |= {3: "four_and_length"}
    if "cross_attention" in axes:
        axes["cross_attention"] |= {3 if "keys_0" in inputs else 4: "length_and_null"}
    return axes


def transformer_inputs(net: nn.Module, batch: int, length: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    side = net.grid * net.patch
    mask = torch.ones(batch, length, dtype=torch.long)
    mask[0] = 0
    mask[-1, length // 2 :] = 0
    return {
        "sample": torch.randn(batch, net.channels, side, side, generator=generator),
        "timestep": torch.rand(batch, generator=generator),
        "prompt_embeds": torch.randn(batch, length, net.config["text_width"], generator=generator) * 0.3,
        "prompt_mask": mask,
    }


def image(batch: int, *shape: int) -> Tensor:
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)


def pixels(batch: int) -> dict[str, Tensor]:
    """Small pictures."""
    return {"image": image(batch, 3, 64, 64)}


def words_inputs(batch: int) -> dict[str, Tensor]:
    """Token embeddings of prompts of unlike length."""
    length = 5 + batch
    mask = torch.ones(batch, length, dtype=torch.long)
    mask[-1, length // 2 :] = 0
    return {"prompt_embeds": image(batch, length, 384) * 0.3, "prompt_mask": mask}


def kept_names(depth: int, prefix: str = "") -> list[str]:
    """Inputs of the painter that hold what it has drawn, or, with the prefix `text_`, what it has read."""
    return [f"{prefix}{kind}_{block}" for block in range(depth) for kind in ("keys", "values")]


def stroke_inputs(net: nn.Module, batch: int) -> dict[str, Tensor]:
    """Pictures at unlike places."""
    bias, signal, *text = (part.detach() for part in net.reading(*words_inputs(batch).values()))
    place = (torch.arange(batch) * 45) % net.length
    before = torch.where(place == 0, net.levels * net.codes, place % net.codes)
    some = {"before": before, "rough": torch.where(place < 64, -1, torch.arange(batch)), "at": place}
    some |= {"text_bias": bias, "signal": signal}
    some |= {name: image(*past.shape) for name, past in zip(kept_names(net.depth), net.memory(batch))}
    return some | dict(zip(kept_names(net.depth, "text_"), text))


class Call(nn.Module):
    """One method of a network as a module of its own."""

    def __init__(self, net: nn.Module, method: str) -> None:
        super().__init__()
        self.net, self.method = net, method

    def forward(self, *inputs: Tensor):
        return getattr(self.net, self.method)(*inputs)


#: of the painter's parameters, those that read the prompt: once a picture, not once a code
READERS = ("text_norm.", "text.", "pooled.", "null", "cross_kv.")


def _transformer(net: nn.Module) -> list[Piece]:
    outputs = ("prediction", "cross_attention")
    return [Piece("transformer", Traced(net), lambda b: transformer_inputs(net, b, 5 + b), outputs)]


def _painter(net: nn.Module) -> list[Piece]:
    said, drawn = ("text_bias", "signal", *kept_names(net.depth, "text_")), ("logits", "memory", "cross_attention")
    reads, draws = Call(net, "reading"), Call(net, "step")
    return [
        Piece("words", reads, words_inputs, said, "", len(said), lambda name: name.startswith(READERS)),
        Piece("painter", draws, lambda b: stroke_inputs(net, b), drawn, "", 2, lambda n: not n.startswith(READERS)),
    ]


def _tokenizer(net: nn.Module) -> list[Piece]:
    def codes(batch: int) -> dict[str, Tensor]:
        return {"tokens": torch.arange(batch * net.levels * 64).reshape(batch, net.levels, 64) % 9 - 1}

    encoder, decoder = EncodeTokens(net), DecodeTokens(net)
    return [
        Piece("token_encoder", encoder, pixels, ("tokens",), holds=lambda name: not name.startswith("decoder.")),
        Piece("token_decoder", decoder, codes, ("image",), holds=lambda name: not name.startswith("encoder.")),
    ]


def _clip(net: nn.Module) -> list[Piece]:
    return [
        Piece("image", TracedTower(net.image), pixels, ("embed", "tokens"), "image."),
        Piece("text", net.text, words_inputs, ("embed",), "text."),
    ]


def _prior(net: nn.Module) -> list[Piece]:
    def noisy(batch: int) -> dict[str, Tensor]:
        size = net.config["embed"]
        some = {"sample": image(batch, size), "timestep": torch.linspace(0, 1, batch), "clip_text": image(batch, size)}
        return some | words_inputs(batch)

    return [Piece("prior", Call(net, "traced"), noisy, ("denoised", "attention"))]


def _superres(net: nn.Module) -> list[Piece]:
    def noisy(batch: int) -> dict[str, Tensor]:
        return {
            "sample": image(batch, 3, 256, 256),
            "timestep": torch.linspace(0, 1, batch),
            "small": image(batch, 3, 64, 64),
            "small_level": torch.linspace(0, 0.4, batch),
            "prompt_embed": image(batch, 384),
        }

    return [Piece("superres", net, noisy, ("denoised",))]


def _unclip_decoder(net: nn.Module) -> list[Piece]:
    size = net.config["embed"]
    return [Piece("image_tokens", ImageTokens(net), lambda b: {"image_embed": image(b, size)}, ("tokens",))]


def _autoencoder(net: nn.Module) -> list[Piece]:
    channels = net.config["channels"]
    return [
        Piece("encoder", net.encoder, pixels, ("latents",), "encoder."),
        Piece("decoder", net.decoder, lambda b: {"latents": image(b, channels, 16, 16)}, ("image",), "decoder."),
    ]


#: the ONNX files of each kind of network
PIECES: dict[str, Callable[[nn.Module], list[Piece]]] = {
    "autoencoder": _autoencoder,
    "clip": _clip,
    "detector": lambda net: [Piece("detector", net, pixels, ("cells", "summary"))],
    "painter": _painter,
    "prior": _prior,
    "superres": _superres,
    "tokenizer": _tokenizer,
    "transformer": _transformer,
    "unclip_decoder": _unclip_decoder,
    "upscaler": lambda net: [Piece("upscaler", net, pixels, ("large",))],
}
