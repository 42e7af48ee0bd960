"""`salon draw`: a prompt becomes image files that carry their recipes."""

import argparse
import errno
import io
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salon.cli.arguments import number
from salon.cli.varying import MAX_COUNT, add_varying, begun_of, check, seeds_of
from salon.core.errors import BadRecipe, SalonError, StorageFull
from salon.core.hashing import content_hash
from salon.core.names import file_name
from salon.core.png import KEYWORD, read_recipe, with_recipe
from salon.core.recipe import MAX_SEED, MAX_STEPS, Recipe, parse_recipe
from salon.core.unused import UnusedWarning

if TYPE_CHECKING:
    from PIL import Image

ABOUT = """Draw images of a prompt and write them as PNG files that carry their recipes. The same prompt, seed and
settings give the same images. Without --seed the first seed is drawn by chance; the files' names tell it. With --vary
or --was the model unclip begins with a picture instead (docs/unclip.md)."""


class FileInTheWay(SalonError):
    """A file of that name is there and is not this image."""

    code = "file_in_the_way"


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon draw`."""
    add = commands.add_parser("draw", help="draw images of a prompt into a folder", description=ABOUT)
    add.add_argument("prompt", nargs="?", help='what to draw, such as "three red foxes in the snow"')
    add.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the images")
    add.add_argument("--model", metavar="NAME", help="which model (see `salon models`; default: the first)")
    add.add_argument("--count", type=number(1, MAX_COUNT), help="how many images (default 9; of a series 1)")
    add.add_argument("--seed", type=number(0, MAX_SEED), help="seed of the first image; the others follow on")
    add.add_argument("--steps", type=number(1, MAX_STEPS), help="steps from noise to image (more: slower, finer)")
    add.add_argument("--guidance", type=float, help="how closely to follow the words (0 to 20)")
    add.add_argument("--negative", default="", metavar="TEXT", help="what should not be in the image")
    add.add_argument("--sampler", metavar="NAME", help="how to walk from noise to image")
    add_varying(add)
    add.add_argument("--url", metavar="URL", help="ask a running house, such as http://127.0.0.1:8000")
    add.add_argument("--no-rules", action="store_true",
                     help="without the house's prompt rules; the rule about minors always holds")  # fmt: skip
    add.add_argument("--grid", action="store_true", help="also write all images as one picture")
    add.add_argument("--scores", action="store_true", help="print how near CLIP finds each image to its prompt")
    add.add_argument("--json", action="store_true", help="print one JSON object with files and recipes")
    add.set_defaults(command=draw)


def draw(arguments: argparse.Namespace) -> None:
    """Draw, write and print the paths in the order of the seeds; what changes nothing is noted before."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UnusedWarning)  # once, however many requests say it
        warnings.showwarning = _note
        drawn = _drawn(arguments)
    files = [write(arguments.out, recipe, image) for recipe, image in drawn]
    grid = _write_grid(arguments.out, drawn, arguments.series) if arguments.grid else None
    scores = [image.info.get("score") for _, image in drawn] if arguments.scores else []
    if scores and not any(score is not None for score in scores):
        print("Note: there are no scores, because CLIP is not installed.", file=sys.stderr)
    if arguments.json:
        rows = [{"file": str(file), "id": recipe.id, "seed": recipe.seed, "recipe": json.loads(recipe.to_json())}
                for file, (recipe, _) in zip(files, drawn, strict=True)]  # fmt: skip
        rows = [row | {"score": score} for row, score in zip(rows, scores)] or rows
        print(json.dumps({"images": rows, "grid": str(grid) if grid else None}, ensure_ascii=False))
        return
    said = ["" if score is None else f"  {score:+.3f}" for score in scores] or [""] * len(files)
    print(*(f"{file}{score}" for file, score in zip(files, said)), *([grid] if grid else []), sep="\n")


def _note(message: Warning | str, *_where: Any, **_more: Any) -> None:
    """One warning as a line of its own."""
    print(f"Note: {message}", file=sys.stderr)


def _drawn(arguments: argparse.Namespace) -> list[tuple[Recipe, "Image.Image"]]:
    """(recipe, image) of each seed, by the engine in this process or by a running house."""
    from salon import Salon  # lazy: it brings the runtime

    check(arguments)
    seeds = seeds_of(arguments)
    options: dict[str, Any] = {
        "num_inference_steps": arguments.steps, "guidance_scale": arguments.guidance,
        "sampler": arguments.sampler, "negative_prompt": arguments.negative,
    }  # fmt: skip
    if arguments.url:
        images = Salon(url=arguments.url).draw(arguments.prompt, seeds, arguments.model, **options)
        return [(_recipe_of(image), image) for image in images]
    salon = Salon(scores=arguments.scores, rules=not arguments.no_rules)
    options |= {"dynamic_threshold": arguments.dynamic_threshold}
    recipes, inputs = begun_of(salon, arguments, seeds, options)
    for recipe in recipes:
        _free(path_of(arguments.out, recipe), recipe)
    if sys.stderr.isatty():
        print(f"Drawing {len(recipes)} with {recipes[0].model} ...", file=sys.stderr)
    return list(zip(recipes, salon.draw_recipes(recipes, inputs), strict=True))


def _recipe_of(image: "Image.Image") -> Recipe:
    """The recipe that a house wrote into its file. Raises BadRecipe."""
    text = image.info.get(KEYWORD)
    if text is None:
        raise BadRecipe("The house sent an image without its recipe.", "Is it of the same version as this command?")
    return parse_recipe(str(text))  # Pillow's own kind of string is none to msgspec


def path_of(folder: Path, recipe: Recipe) -> Path:
    """Where an image goes: words of the prompt, the seed, and the start of the image's name."""
    return folder / file_name(recipe)


def _free(path: Path, recipe: Recipe) -> bool:
    """Whether nothing stands at `path`; False if this very image does. Raises FileInTheWay for anything else."""
    if not path.exists():
        return True
    try:
        found = read_recipe(path.read_bytes())
    except (BadRecipe, IsADirectoryError):
        found = None
    if found != recipe:
        raise FileInTheWay(f"{path} is there already and is another image.", "Move it, or choose another folder.")
    return False


def write(folder: Path, recipe: Recipe, image: "Image.Image") -> Path:
    """The image as a PNG with its recipe, whole or not at all. Raises FileInTheWay, StorageFull."""
    path = path_of(folder, recipe)
    if _free(path, recipe):
        _save(path, with_recipe(_png(image), recipe, version("latent-salon")))
    return path


def _png(image: "Image.Image") -> bytes:
    from PIL import Image  # lazy: `salon --help` answers at once

    bare = Image.frombytes(image.mode, image.size, image.tobytes())  # without the text that came along
    file = io.BytesIO()
    bare.save(file, "PNG")
    return file.getvalue()


def _save(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        part.unlink(missing_ok=True)
        message = f"There is no room for {path.name}: {error.strerror}."
        raise StorageFull(message, "Free some room and give the same command with --seed.") from error


def _write_grid(folder: Path, drawn: list[tuple[Recipe, "Image.Image"]], wide: int | None) -> Path:
    """All images as one picture, `wide` in a row (None: square); named by what it holds, so that the same name is the
    same picture."""
    from PIL import Image  # lazy: as above

    name = content_hash([recipe.id for recipe, _ in drawn])[:8]
    path = path_of(folder, drawn[0][0])
    path = path.with_name(f"{path.stem.rsplit('-', 1)[0]}-grid-{name}.png")
    width, height = drawn[0][1].size
    columns = wide or next(n for n in range(1, len(drawn) + 1) if n * n >= len(drawn))
    whole = Image.new("RGB", (columns * width, -(-len(drawn) // columns) * height))
    for index, (_, image) in enumerate(drawn):
        whole.paste(image, (index % columns * width, index // columns * height))
    _save(path, _png(whole))
    return path
