"""`salon train` and `salon export`: one network of the house, from a built world. They need the extra `train`."""

import argparse
import sys
from pathlib import Path

from salon.cli.arguments import number
from salon.core.errors import TrainingError

NEEDS_TORCH = ("torch", "safetensors", "onnxscript")
ABOUT = """Train one network of the house on a world that `salon world build` wrote. The folder OUT holds everything
about the run: its saved state, log, sample sheets and weights. Stopped, it goes on from there when the same command is
given again. Needs torch: pip install 'latent-salon[train]'."""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon train` and `salon export`."""
    add = commands.add_parser("train", help="train a network (needs torch)", description=ABOUT)
    add.add_argument("model", help="what to train: autoencoder, latent, upscaler ... (names of the house's recipes)")
    add.add_argument("--recipe", metavar="FILE", help="a recipe of your own (.toml) in place of the house's")
    add.add_argument(
        "--data", required=True, type=Path, nargs="+", metavar="DIR", help="folders written by `salon world build`"
    )
    add.add_argument("--out", required=True, type=Path, metavar="DIR", help="the run's folder")
    add.add_argument("--minutes", type=float, help="end after so many minutes of training, all sittings together")
    resume = argparse.BooleanOptionalAction
    add.add_argument("--resume", action=resume, default=True, help="go on from the run's saved state if there is one")
    add.add_argument("--init", metavar="WEIGHTS", help="start from these: a run's folder, .safetensors, or ONNX")
    add.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the recipe")
    add.add_argument("--threads", type=number(1, 1024), help="processor threads (default: all)")
    add.set_defaults(command=train)
    _add_export(commands)


def _add_export(commands: argparse._SubParsersAction) -> None:
    text = "write a trained network as the engine needs it (needs torch)"
    add = commands.add_parser("export", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--run", required=True, type=Path, metavar="DIR", help="the folder of a run of `salon train`")
    add.add_argument("--out", required=True, type=Path, metavar="DIR", help="the model's folder of weights")
    text = "so many integers to a weight's root mean square, packed; 0: float16 (docs/families.md)"
    add.add_argument("--levels", type=float, default=0, metavar="N", help=text)
    add.set_defaults(command=export)


def settings(pairs: list[str]) -> dict[str, str]:
    """`KEY=VALUE` texts as a table. Raises TrainingError."""
    for pair in pairs:
        if "=" not in pair:
            raise TrainingError(f"--set {pair} names no value.", "Write it as KEY=VALUE, such as --set batch=64.")
    return dict(pair.split("=", 1) for pair in pairs)


def needs_torch(error: ModuleNotFoundError) -> TrainingError:
    """What to say when the extra `train` is not installed; any other missing module is raised as it is."""
    if error.name not in NEEDS_TORCH:
        raise error
    return TrainingError("Training needs torch.", "Install it: pip install 'latent-salon[train]'.")


def train(arguments: argparse.Namespace) -> int:
    """Train to the end (0), or until SIGTERM with the state saved (1)."""
    sets = settings(arguments.set)
    try:
        import torch  # lazy: only this command needs it, and the base install has none

        from salon.train.loop import run
    except ModuleNotFoundError as error:
        raise needs_torch(error) from error
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    recipe = arguments.recipe or arguments.model
    places = (arguments.data, arguments.out, arguments.minutes, arguments.resume, arguments.init)
    done = run(recipe, *places, sets)
    print("Done." if done else "Stopped; the state is saved. Give the same command to go on.", file=sys.stderr)
    return 0 if done else 1


def export(arguments: argparse.Namespace) -> None:
    """Write ONNX files and the model's card, and say how close they are to torch."""
    try:
        from salon.train.export import export as write  # lazy: as above
    except ModuleNotFoundError as error:
        raise needs_torch(error) from error
    for name, difference in write(arguments.run, arguments.out, arguments.levels).items():
        print(f"{arguments.out / name}: within {difference:.1e} of torch")
