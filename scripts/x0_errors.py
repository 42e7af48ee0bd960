"""How well a latent transformer knows single things: the error of x0 in one step, from pure noise down.

    python scripts/x0_errors.py src/salon/weights/latent [RUN ...] [--scenes 48]

Fresh scenes of one thing by the world's own hand, in its own colours, on a plain ground and in no style, named by
caption ("a cat on a red background"), seeds from 500,000 on. Prints one JSON object a model: squared error of the
picture (64 px RGB on [-1,1]) at each timestep. At 1.0 the sample is nothing but noise: what is right there comes
from the words.
"""

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
import torch

from salon.train import text
from salon.train.weights import load_net
from salon.world.captions import article, named
from salon.world.render import render
from salon.world.scene import Scene, sample_scene
from salon.world.vocabulary import NOUNS

TIMESTEPS = (1.0, 0.9, 0.8, 0.7, 0.55, 0.4)
FIRST_SEED = 500_000
HAND = "noto"


def wanted(scene: Scene, known: set[str]) -> bool:
    thing = scene.things[0]
    plain = thing.hand == HAND and not thing.painted and scene.style is None and scene.place == "plain"
    return plain and thing.noun in known


def scenes(number: int, nouns: int = 0) -> list[Scene]:
    """So many scenes, of the first `nouns` things of the world (0: of all)."""
    known = {noun.name for noun in NOUNS[: nouns or None]}
    drawn = (sample_scene(seed, "train", {"single": 1.0}) for seed in itertools.count(FIRST_SEED))
    return list(itertools.islice((scene for scene in drawn if wanted(scene, known)), number))


@torch.no_grad()
def errors(path: Path, autoencoder: Path, chosen: list[Scene]) -> dict[str, float]:
    net, codec = load_net(path, "transformer"), load_net(autoencoder, "autoencoder")
    pixels = np.stack([render(scene) for scene in chosen])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    said = [f"{named(scene.things[0].noun)} on {article(scene.ground or 'white')} background" for scene in chosen]
    embeds, mask = text.pad(text.encode(said))
    clean = codec.encode(images)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    found = {"copy": float((codec.decode(clean) - images).square().mean())}
    for t in TIMESTEPS:
        sample = torch.lerp(clean, noise, t)
        flow = net(sample, torch.full((len(clean),), t), embeds, mask)
        found[str(t)] = float((codec.decode(sample - t * flow) - images).square().mean())
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, help="run folders, .safetensors or weights folders")
    parser.add_argument("--scenes", type=int, default=48)
    parser.add_argument("--autoencoder", type=Path, default=Path("src/salon/weights/latent"))
    parser.add_argument("--nouns", type=int, default=0, help="only the first so many things of the world (0: all)")
    args = parser.parse_args()
    chosen = scenes(args.scenes, args.nouns)
    for path in args.models:
        print(json.dumps({"model": str(path)} | errors(path, args.autoencoder, chosen)))


if __name__ == "__main__":
    main()
