"""Our families beside their peers, on this machine, in one run: python bench/peers.py [--json] [--weights DIR].

Drawing: nine images, guided, by the installed models of our families as visitors get them (text encoder, decoder and
upscaler to 256 px included), against imagen-pytorch's U-Net of the size of our cascade's base (64 px, neither text
encoder nor upscaler). Training: one step of AdamW of that U-Net, with its package's own loss, against our base. Tokens:
nine images of min-dalle's mini decoder (256 codes; neither text encoder nor VQGAN) against our `vq` (128 codes).
Weights of the peers are random: speed does not depend on them. `base` and `painter` are our networks run as the peers
are, by torch eager: what is left of the ratio there is the architecture's.

Whatever is slow here is slow for all: the contenders take turns, and each ratio is the median over the rounds of
peer / ours. `_cpu` is the same of processor time, which other programs on the machine disturb less. What a peer does
many times over (a guided step, a code) is timed once a round and multiplied.
"""

import argparse
import contextlib
import gc
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin take the processor from each other

from salon.core.errors import SalonError
from salon.engine.client import LocalEngine
from salon.engine.drawing import Salon
from salon.engine.registry import Registry, weights_folders

PROMPT = "three red foxes to the left of a blue teapot in the snow"
FAMILIES = ("latent", "cascade", "unclip", "vq")
IMAGES, WORDS, TEXT_WIDTH, THREADS = 9, 16, 384, 2
#: a folder of its own and --no-deps: what imagen-pytorch asks for brings torchvision, and with it often another torch
INSTALL = (
    "python -m pip install --no-deps --target var/peers imagen-pytorch==2.1.0 min-dalle==0.4.11 einops==0.8.2"
    " beartype==0.23.1 && PYTHONPATH=var/peers python bench/peers.py"
)
#: of imagen-pytorch's U-Net, each within 5% of our base's parameters: the layout of the package's own 64 px network
#: (`BaseUnet64`: attention from 32x32 downwards, 8 heads), and one that spares the attention that costs most (from
#: 16x16 downwards, 4 heads): about five times as fast, and the fairer opponent
UNETS = {
    "imagen": {"dim": 22, "layer_attns": (False, True, True, True)},
    "imagen_lean": {"dim": 24, "layer_attns": (False, False, True, True), "attn_heads": 4},
}
#: min-dalle's constructor: `is_mega=False`
MINI = {
    "image_vocab_count": 16384,
    "embed_count": 1024,
    "attention_head_count": 16,
    "glu_embed_count": 2730,
    "layer_count": 12,
}
MINI_CODES, MINI_WORDS = 256, 64

Calls = dict[str, tuple[Callable[[], object], int]]


@dataclass(frozen=True)
class Pace:
    """Seconds and processor seconds of one contender, round by round."""

    wall: list[float]
    cpu: list[float]

    def against(self, peer: "Pace") -> tuple[float, float]:
        """How many times as long the peer takes: by the clock, by processor time."""
        pairs = ((peer.wall, self.wall), (peer.cpu, self.cpu))
        return tuple(round(statistics.median(p / o for p, o in zip(*pair)), 2) for pair in pairs)


def interleaved(calls: Calls, times: int) -> dict[str, Pace]:
    """`times` rounds in which each contender has one turn, after a round to warm up. A call that is only part of the
    whole comes with how many make the whole."""
    paces = {name: Pace([], []) for name in calls}
    for turn in range(times + 1):
        for name, (call, repeated) in calls.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            if turn:
                paces[name].cpu.append((time.process_time() - cpu) * repeated)
                paces[name].wall.append((time.perf_counter() - wall) * repeated)
    return paces


def figures(section: str, paces: dict[str, Pace], peers: tuple[str, ...], images: int) -> dict[str, float]:
    """Images a second of all, and ratios of ours against each peer."""
    found = {f"{section}_{n}_images_s": round(images / statistics.median(p.wall), 3) for n, p in paces.items()}
    for name in (n for n in paces if n not in peers):
        for peer in (p for p in peers if p in paces):
            key = f"{section}_{name}_vs_{peer}"
            found[key], found[f"{key}_cpu"] = paces[name].against(paces[peer])
    return found


def stand_in(name: str, **contents: Any) -> None:
    """A module of that name that holds no more than this."""
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(contents)


def without_init(package: str) -> None:
    """Make the modules of a package importable without running its `__init__`. Raises ImportError."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"No module named {package!r}")
    stand_in(package, __path__=list(spec.submodule_search_locations), __spec__=spec)


def no_text(*_: Any, **__: Any) -> None:
    raise RuntimeError("The text encoder is a stand-in: give embeddings.")


def imagen_classes() -> tuple[type, type]:
    """imagen-pytorch's (Imagen, Unet). Raises ImportError.

    Its `__init__` imports a trainer with a dozen dependencies; its text module asks the hub for T5's settings when
    imported, which fails offline; torchvision and kornia have to fit the torch at hand, and are used only for
    converting to Pillow and for cropping. Neither is needed to draw and to train, so stand-ins take their places."""
    without_init("imagen_pytorch")
    stand_in(
        "imagen_pytorch.t5", t5_encode_text=no_text, get_encoded_dim=lambda _: TEXT_WIDTH, DEFAULT_T5_NAME="stand-in"
    )
    for package, part in (("torchvision", "transforms"), ("kornia", "augmentation")):
        stand_in(package, __path__=[])
        stand_in(f"{package}.{part}")
    from imagen_pytorch.imagen_pytorch import Imagen, Unet

    return Imagen, Unet


def mini_decoder() -> type:
    """min-dalle's decoder class. Raises ImportError. The package's `__init__` turns gradients off for the whole
    process and needs what fetches weights; the networks alone need only torch."""
    without_init("min_dalle")
    from min_dalle.models import DalleBartDecoder

    return DalleBartDecoder


def base() -> Any:
    """Our cascade's base without the head that only training uses."""
    from salon.nets.transformer import Transformer
    from salon.train.recipe import load

    return Transformer(**load("cascade")["net"] | {"labels": 0})


def imagens(steps: int) -> dict[str, Any]:
    """imagen-pytorch with each of UNETS, at `steps` steps of drawing. Raises ImportError."""
    imagen, unet = imagen_classes()
    built = {}
    with contextlib.redirect_stdout(sys.stderr):  # it prints advice
        for name, options in UNETS.items():
            net = unet(**options, layer_cross_attns=options["layer_attns"], text_embed_dim=TEXT_WIDTH)
            built[name] = imagen(net, image_sizes=64, timesteps=steps, text_embed_dim=TEXT_WIDTH)
    return built


def size(net: Any) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


class Bench:
    """What the sections share: the installed models, how many rounds, what was left out and why."""

    def __init__(self, registry: Registry, times: int) -> None:
        self.salon, self.times, self.left_out = Salon(engine=LocalEngine(registry)), times, []
        infos = {info.name: info for info in self.salon.models()}
        self.installed = {n: infos[n] for n in FAMILIES if n in infos and infos[n].ready}
        for name in (n for n in FAMILIES if n not in self.installed):
            problem = infos[name].problem if name in infos else "no model of this name is installed"
            self.leave_out(f"{name}: {problem}")
        defaults = self.installed["cascade"].defaults if "cascade" in self.installed else {}
        self.steps = int(defaults.get("num_inference_steps", 12))
        self.seeds = count()

    def leave_out(self, why: str) -> None:
        if why not in self.left_out:
            self.left_out.append(why)

    @contextlib.contextmanager
    def peer(self, name: str) -> Iterator[None]:
        """Go on without a peer that is missing or that this torch does not run."""
        try:
            yield
        except ImportError as error:
            self.leave_out(f"{name}: {error}; to install what is missing: {INSTALL}")
        except (RuntimeError, TypeError) as error:
            self.leave_out(f"{name}: {str(error).splitlines()[0]}")

    def ours(self, names: tuple[str, ...]) -> Calls:
        """Nine images of each of these models that is installed; never the same seeds twice."""
        return {n: (lambda n=n: self._draw(n), 1) for n in names if n in self.installed}

    def _draw(self, name: str) -> None:
        self.salon.draw(PROMPT, [next(self.seeds) for _ in range(IMAGES)], model=name)

    def drawing(self) -> dict[str, float]:
        """Nine images, guided, at the steps of the cascade."""
        import torch

        calls = self.ours(FAMILIES)
        text, mask = torch.randn(IMAGES, WORDS, TEXT_WIDTH), torch.ones(IMAGES, WORDS, dtype=torch.bool)
        sample, timestep, net = torch.randn(IMAGES, 3, 64, 64), torch.rand(IMAGES), base().eval()
        pair = (sample.repeat(2, 1, 1, 1), timestep.repeat(2), text.repeat(2, 1, 1), torch.cat([mask, ~mask]).long())
        calls["base"] = (lambda: net(*pair), self.steps)
        found: dict[str, float] = {"drawing_steps": self.steps, "base_parameters": size(net)}
        with self.peer("imagen-pytorch"):
            for name, imagen in imagens(self.steps).items():
                unet = imagen.unets[0].eval()
                found[f"{name}_parameters"] = size(unet)
                guided = {"text_embeds": text, "text_mask": mask, "cond_scale": 3.0}
                calls[name] = (lambda u=unet, g=guided: u.forward_with_cond_scale(sample, timestep, **g), self.steps)
        with torch.inference_mode():
            return found | figures("drawing", interleaved(calls, self.times), tuple(UNETS), IMAGES)

    def training(self, precision: str) -> dict[str, float]:
        """One optimiser step at the batch of the cascade's recipe."""
        import torch

        from salon.train.recipe import load

        batch = load("cascade")["train"]["batch"]
        images, text = torch.rand(batch, 3, 64, 64), torch.randn(batch, WORDS, TEXT_WIDTH)
        mask, net = torch.ones(batch, WORDS, dtype=torch.bool), base().train()
        losses = {"base": (net, lambda: flow_loss(net, images * 2 - 1, text, mask))}
        with self.peer("imagen-pytorch"):
            for name, imagen in imagens(self.steps).items():
                given = {"text_embeds": text, "text_masks": mask, "unet_number": 1}
                losses[name] = (imagen.train(), lambda i=imagen, g=given: i(images, **g))
        calls: Calls = {}
        for name, (network, loss) in losses.items():
            with self.peer(f"{name} in {precision}"):
                step = learner(network, loss, precision)
                step()
                calls[name] = (step, 1)
        section = f"training_{precision}"
        return {"training_batch": batch} | figures(section, interleaved(calls, self.times), tuple(UNETS), batch)

    def tokens(self) -> dict[str, float]:
        """Nine images code by code, two rows each."""
        import torch

        calls, net = self.ours(("vq",)), painter()
        with torch.inference_mode():
            calls["painter"] = (painter_step(net), net.length)
            found: dict[str, float] = {"painter_parameters": size(net)}
            with self.peer("min-dalle"):
                decoder = mini_decoder()(**MINI, device="cpu").eval()
                found["min_dalle_parameters"] = size(decoder)
                calls["min_dalle"] = (mini_step(decoder), MINI_CODES)
            return found | figures("tokens", interleaved(calls, self.times), ("min_dalle",), IMAGES)


def flow_loss(net: Any, clean: Any, text: Any, mask: Any) -> Any:
    """The loss of our recipe: x0 predicted, compared as flow."""
    import torch

    timestep, noise = torch.rand(len(clean)).clamp(min=0.05), torch.randn_like(clean)
    part = timestep[:, None, None, None]
    prediction = net((1 - part) * clean + part * noise, timestep, text, mask.long()).float()
    return ((prediction - clean) / part).square().mean()


def learner(network: Any, loss: Callable[[], Any], precision: str) -> Callable[[], None]:
    """One step of AdamW."""
    import torch

    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            value = loss()
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()

    return step


def painter() -> Any:
    """The network of our `vq`."""
    from salon.nets.painter import Painter
    from salon.train.recipe import load

    return Painter(**load("painter")["net"]).eval()


def painter_step(net: Any) -> Callable[[], object]:
    """One code of nine images, prompt and no prompt, in the middle of the picture."""
    import torch

    rows = 2 * IMAGES
    mask = torch.arange(rows)[:, None].lt(IMAGES).expand(rows, WORDS).long()
    bias, signal, *text = net.reading(torch.randn(rows, WORDS, TEXT_WIDTH), mask)
    place = torch.full((rows,), net.length // 2)
    feeds = (torch.zeros_like(place), torch.zeros_like(place), place, bias, signal, *net.memory(rows), *text)
    return lambda: net.step(*feeds)


def mini_step(decoder: Any) -> Callable[[], object]:
    """One code of nine images, by the loop of `MinDalle.generate_raw_image_stream`, in the middle of the picture."""
    import torch

    rows, width = 2 * IMAGES, MINI["embed_count"]
    feeds = {
        "settings": torch.tensor([1.0, 256.0, 16.0]),
        "attention_mask": torch.ones(rows, 1, 1, MINI_WORDS, dtype=torch.bool),
        "encoder_state": torch.randn(rows, MINI_WORDS, width),
        "attention_state": torch.zeros(MINI["layer_count"], 2 * rows, MINI_CODES, width),
        "prev_tokens": torch.zeros(IMAGES, 1, dtype=torch.long),
        "token_index": torch.tensor([MINI_CODES // 2]),
    }
    return lambda: decoder.sample_tokens(**feeds)


def precisions() -> list[str]:
    """float32, and bfloat16 where the processor has instructions for it: emulated, it is hopeless."""
    import torch

    able = getattr(torch.cpu, "get_capabilities", dict)()
    return ["float32", *(["bfloat16"] if able.get("avx512_bf16") or able.get("amx_bf16") else [])]


def measure(bench: Bench) -> dict[str, float]:
    """All sections; without torch only how fast our models draw."""
    try:
        import torch
    except ImportError:
        bench.leave_out("all peers: torch is missing; to install it: pip install 'latent-salon[train]'")
        return figures("drawing", interleaved(bench.ours(FAMILIES), bench.times), (), IMAGES)
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    found = bench.drawing()
    able = precisions()
    if "bfloat16" not in able:
        bench.leave_out("bfloat16: this processor has no instructions for it, or torch does not say")
    for precision in able:
        found |= bench.training(precision)
    return found | bench.tokens()


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{name:<46}{value}" for name, value in found.items() if name != "left_out"]
    lines.append(
        f"\nDrawing of base and of imagen: one guided step timed, times {found.get('drawing_steps', '?')}; "
        f"of painter and min_dalle: one code, times 128 and {MINI_CODES}. "
        "Ratios: how many times as long the peer takes."
    )
    return "\n".join(lines + [f"Left out: {why}" for why in found["left_out"]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--weights", type=Path, help="a folder of models beside the built-in ones")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    folders = [options.weights, *weights_folders()] if options.weights else weights_folders()
    found: dict[str, Any] = {"threads": THREADS, "rounds": options.times, "load_before": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as cache:
        bench = Bench(Registry(folders, Path(cache), THREADS), options.times)
        try:
            found |= measure(bench)
        except SalonError as error:
            print(error, file=sys.stderr)
            return 1
    found["left_out"] = bench.left_out
    print(json.dumps(found) if options.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
