"""python -m salon.train RECIPE --data DIR --out DIR --minutes M [--resume] [--init WEIGHTS] [--set k=v]"""

import argparse
import os
import sys

from salon.core.errors import SalonError


def parser() -> argparse.ArgumentParser:
    out = argparse.ArgumentParser("salon.train", description="Train one network of the house.")
    out.add_argument("recipe", help="autoencoder, latent, pixel, upscaler, or a .toml file")
    out.add_argument("--data", required=True, nargs="+", help="folders written by `salon world build`")
    out.add_argument("--out", required=True, help="the run's folder")
    out.add_argument("--minutes", type=float, help="end after so many minutes of training, all sittings together")
    out.add_argument("--resume", action="store_true", help="go on from the run's saved state, if there is one")
    out.add_argument("--init", help="start from these weights: run folder, .safetensors or exported ONNX")
    out.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a recipe's setting")
    out.add_argument("--threads", type=int, help="CPU threads (default: all)")
    return out


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    # Threads that wait must sleep: with spinning ones a run that shares its cores is ten times slower. Read by
    # OpenMP when torch is loaded, hence here.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    import torch  # inline: after the environment is set, and --help should not wait for it

    from salon.train.loop import run

    if options.threads:
        torch.set_num_threads(options.threads)
    sets = dict(item.partition("=")[::2] for item in options.set)
    try:
        done = run(options.recipe, options.data, options.out, options.minutes, options.resume, options.init, sets)
    except SalonError as error:
        print(error, file=sys.stderr)
        return 2
    print("Done." if done else "Stopped; the state is saved. Go on with --resume.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
