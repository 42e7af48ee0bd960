"""Weights of a shallower network to start another one from: the embedded flow transformer with some of its blocks left
out, for samples of another shape or another head. What has no counterpart keeps its fresh values.

    python scripts/warm_start.py src/salon/weights/latent OUT.safetensors --recipe cascade --blocks 0 1 3 5 7

Then train with `--init OUT.safetensors`. Pruned by depth and trained on, a network forgets little (the first half of
what a network learns about text and layout is the same in latents and in pixels); see docs/families.md."""

import argparse
from pathlib import Path

import torch

from salon.train import recipe as recipes
from salon.train.weights import NETS, read_weights, save_weights


def kept(tensors: dict[str, torch.Tensor], blocks: list[int], width: int) -> dict[str, torch.Tensor]:
    """The tensors of a network that has only `blocks`, renumbered."""
    found = {}
    for name, tensor in tensors.items():
        head, _, rest = name.partition("blocks.")
        number, _, end = rest.partition(".")
        if not head and rest:
            if int(number) in blocks:
                found[f"blocks.{blocks.index(int(number))}.{end}"] = tensor
        elif name == "cross_kv.weight":
            rows = tensor.reshape(-1, 2 * width, tensor.shape[1])
            found[name] = rows[blocks].flatten(0, 1)
        else:
            found[name] = tensor
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", required=True, help="of the network to come")
    parser.add_argument("--blocks", type=int, nargs="+", required=True, help="which blocks stay, in order")
    options = parser.parse_args()
    recipe = recipes.load(options.recipe)
    torch.manual_seed(recipe["seed"])
    net = NETS[recipe["model"]](**recipe["net"])
    tensors, config = read_weights(options.source, "transformer")
    mine = net.state_dict()
    taken = {
        name: tensor
        for name, tensor in kept(tensors, options.blocks, config["width"]).items()
        if name in mine and mine[name].shape == tensor.shape
    }
    net.load_state_dict(mine | taken)
    save_weights(net, options.out, model=recipe["model"], images=0)
    print(f"{len(taken)} of {len(mine)} tensors taken; fresh: {', '.join(sorted(mine.keys() - taken.keys())[:12])}")


if __name__ == "__main__":
    main()
