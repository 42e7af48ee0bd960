"""What the judge's detector learns: from pictures of the world to their ground truth (nets/detector.py).

Pictures are made a little worse, as generators leave them, so that generated ones are judged fairly; some are ruined
altogether, and must be called unreadable."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Generator, Tensor, nn

from salon.core.errors import TrainingError
from salon.nets.detector import CELL_TABLES, GEOMETRY
from salon.train.base import SIDE, Task, tile
from salon.train.data import REBUILD, Scenes, Shard
from salon.train.tasks import TASKS
from salon.train.weights import load_net
from salon.world import vocabulary as words
from salon.world.render import label_names
from salon.world.scene import Scene

GRID = 16
MOST = 4
#: Where a person stands: the drawing is placed by chance within a few hundredths of this.
PERSON = (0.21, 0.18, 0.87, 1.0)
#: cells this near to a centre (of its Gaussian) learn the name and colour of what stands there
NEAR = 0.5
WEIGHTS = {"heat": 1.0, "place_in_cell": 0.5, "things": 1.0, "colours": 0.5, "summary": 0.3, "readable": 0.5}


def names() -> dict[str, list[str]]:
    """What each logit stands for: the world's words as they are now. "" is none."""
    grounds = label_names()[len(words.NOUNS) + len(words.OCCUPATIONS) :]
    return {
        "things": [*words.BY_NAME, *words.OCCUPATIONS],
        "colours": ["", *words.COLOURS],
        "styles": ["", *words.STYLES],
        "places": list(grounds),
        "lights": list(words.LIGHTS),
        "presentations": list(words.PRESENTATIONS),
        "tones": list(words.TONES),
        "countries": ["", *words.COUNTRIES],
    }


def things_of(scene: Scene) -> list[tuple[float, float, float, str, str]]:
    """(x, y, size, name, colour) of everything that stands in the scene, in parts of the side."""
    found = [(thing.box, thing.noun, thing.colour or "") for thing in scene.things]
    if scene.occupation:
        found.append((PERSON, scene.occupation, ""))
    return [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2, max(b[2] - b[0], b[3] - b[1]), n, c) for b, n, c in found]


def summary_of(scene: Scene) -> dict[str, str | None]:
    """The word of each table that holds for the whole picture; None where the picture does not show it."""
    kind = "land" if scene.kind == "landscape" else "plain" if scene.place == "plain" else "at"
    person = scene.kind == "person"
    return {
        "styles": scene.style or "",
        "places": f"{kind} {scene.ground if kind == 'plain' else scene.place}",
        "lights": scene.light if kind == "land" else None,
        "presentations": scene.presentation if person else None,
        "tones": scene.tone if person else None,
        "countries": (scene.country or "") if person else None,
    }


class Truth(NamedTuple):
    """Ground truth of N scenes: `boxes` float [N,4,3] (x, y, size; size 0: nothing), `ids` [N,4,2] of name and colour,
    `summary` [N,tables]; -1: not to be learnt."""

    boxes: Tensor
    ids: Tensor
    summary: Tensor


def truth_of(scenes: list[Scene], tables: Mapping[str, list[str]]) -> Truth:
    """Ground truth as tensors. Raises TrainingError for words that the tables do not hold."""
    index = {name: {word: i for i, word in enumerate(table)} for name, table in tables.items()}
    told = [name for name in tables if name not in CELL_TABLES]
    boxes, ids = np.zeros((len(scenes), MOST, 3), np.float32), np.full((len(scenes), MOST, 2), -1)
    summary = np.full((len(scenes), len(told)), -1)
    try:
        for i, scene in enumerate(scenes):
            for k, (x, y, size, name, colour) in enumerate(things_of(scene)[:MOST]):
                boxes[i, k] = x, y, size
                # graphite has no colour to see
                seen = -1 if scene.style == "pencil" else index["colours"][colour]
                ids[i, k] = index["things"][name], seen
            said = summary_of(scene)
            summary[i] = [-1 if said[name] is None else index[name][said[name]] for name in told]
    except KeyError as error:
        raise TrainingError(f"The scenes hold a word the world does not know: {error}.", REBUILD) from error
    return Truth(torch.from_numpy(boxes), torch.from_numpy(ids), torch.from_numpy(summary))


def read_scenes(shard: Shard) -> list[Scene]:
    """The ground truth beside a shard. Raises TrainingError."""
    path = shard.path.with_suffix(".scenes.jsonl")
    try:
        scenes = [msgspec.json.decode(line, type=Scene) for line in path.read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(f"The ground truth {path} cannot be read: {error}.", REBUILD) from error
    if len(scenes) != len(shard):
        raise TrainingError(f"{path} tells of {len(scenes)} scenes, the shard holds {len(shard)}.", REBUILD)
    return scenes


def gaussians(boxes: Tensor) -> Tensor:
    """[B,K,3] -> [B,K,16,16]: 1 at the centre of each thing, falling with a tenth of its size; 0 for nothing."""
    spots = (torch.arange(GRID, device=boxes.device) + 0.5) / GRID
    dx, dy = spots - boxes[..., 0, None], spots - boxes[..., 1, None]
    square = dy[..., :, None] ** 2 + dx[..., None, :] ** 2
    width = (boxes[..., 2] * 0.1).clamp(min=0.5 / GRID)[..., None, None]
    bumps = torch.exp(-square / (2 * width**2)) * (boxes[..., 2] > 0)[..., None, None]
    # the cell that holds the centre counts as the centre
    highest = bumps.amax((2, 3), keepdim=True)
    return torch.where((bumps == highest) & (highest > 0), torch.ones_like(bumps), bumps)


def focal(heat: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of logits [B,16,16] (arXiv 1904.07850), a centre."""
    p = torch.sigmoid(heat).clamp(1e-4, 1 - 1e-4)
    hit = (target == 1).float()
    found = -((1 - p) ** 2) * p.log() * hit
    quiet = -((1 - target) ** 4) * p**2 * (1 - p).log() * (1 - hit)
    return (found + quiet).sum() / hit.sum().clamp(min=1)


def soft(images: Tensor, sigma: Tensor) -> Tensor:
    """Each picture blurred by its own `sigma` [B] in pixels."""
    reach = max(1, min(int(3 * float(sigma.max())), images.shape[-1] - 1))
    steps = torch.arange(-reach, reach + 1, device=images.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma[:, None].clamp(min=0.05) ** 2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)
    flat = F.pad(images.reshape(1, -1, *images.shape[2:]), (reach,) * 4, mode="reflect")
    flat = F.conv2d(flat, kernel[:, None, None, :], groups=len(kernel))
    return F.conv2d(flat, kernel[:, None, :, None], groups=len(kernel)).reshape(images.shape)


class DetectorTask(Task):
    """Batches are (pictures, Truth, readable [B])."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], device: torch.device) -> None:
        self.names = names()
        recipe["net"]["names"] = self.names  # another vocabulary is another network
        super().__init__(recipe, data, device)
        self.net = self.net.to(memory_format=torch.channels_last)
        path = self.options["autoencoder"]
        self.codec = load_net(Path(path), "autoencoder").to(device) if path else None
        self.truths: dict[Path, Truth] = {}
        self.refresh()

    def refresh(self) -> None:
        super().refresh()
        for shard in (*self.scenes.shards, *self.held.shards):
            if shard.path not in self.truths:
                self.truths[shard.path] = truth_of(read_scenes(shard), self.names)

    def truth(self, scenes: Scenes, indices: list[int]) -> Truth:
        rows = [(self.truths[scenes.shards[s].path], row) for s, row in map(scenes.locate, indices)]
        return Truth(*(torch.stack([t[part][row] for t, row in rows]).to(self.device) for part in range(3)))

    # -- making pictures worse -------------------------------------------------------------------------------

    def worsen(self, images: Tensor, truth: Truth, generator: Generator) -> tuple[Tensor, Truth]:
        """Softer, noisier, off in colour, moved, zoomed or mirrored: still to be read."""
        images, truth = self.moved(images, truth, generator)
        images = self.copied(images, generator)
        count, o = len(images), self.options
        change = 1 + o["colour"] * (2 * self.uniform((2, count, 3, 1, 1), generator) - 1)
        images = images * change[0] + change[1] - 1
        blur = (self.uniform((count,), generator) * 2 - 1).clamp(min=0) * o["blur"]
        noise = self.uniform((count, 1, 1, 1), generator) ** 2 * o["noise"]
        images = soft(images, blur) + noise * self.normal(images.shape, generator)
        return images.clamp(-1, 1), truth

    def moved(self, images: Tensor, truth: Truth, generator: Generator) -> tuple[Tensor, Truth]:
        """Half of the pictures shifted and zoomed, a quarter mirrored, their boxes with them."""
        count, most = len(images), self.options["move"]
        chosen = (self.uniform((count,), generator) < 0.5).float()
        shift = (2 * self.uniform((count, 2), generator) - 1) * most * chosen[:, None]
        zoom = 1 + (2 * self.uniform((count,), generator) - 1) * most * chosen
        mirror = torch.where(self.uniform((count,), generator) < 0.25, -1.0, 1.0)
        theta = torch.zeros(count, 2, 3, device=images.device)
        theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = zoom * mirror, zoom, shift
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        boxes = truth.boxes.clone()
        # the grid says where an output pixel comes from: p_in = zoom * p_out + shift, on [-1,1]
        for axis, factor in ((0, zoom * mirror), (1, zoom)):
            place = (2 * boxes[..., axis] - 1 - shift[:, axis, None]) / factor[:, None]
            boxes[..., axis] = (place + 1) / 2
        boxes[..., 2] /= zoom[:, None]
        return images, truth._replace(boxes=boxes)

    @torch.no_grad()
    def copied(self, images: Tensor, generator: Generator) -> Tensor:
        """The first pictures of the batch through the autoencoder, with a little noise on their latents."""
        share = round(self.options["round_trip"] * len(images))
        if self.codec is None or not share:
            return images
        latents = self.codec.encode(images[:share])
        strength = 0.3 * self.uniform((share, 1, 1, 1), generator)
        decoded = self.codec.decode(latents + strength * self.normal(latents.shape, generator))
        return torch.cat([decoded.clamp(-1, 1), images[share:]])

    def ruined(self, images: Tensor, generator: Generator) -> Tensor:
        """Pictures that show nothing any more: blurred, drowned in noise, noise alone, shuffled in pieces, or two at
        once, one of them upside down. The first of each five by the first way, and so on."""
        count = len(images)
        noise = self.normal(images.shape, generator)
        cloud = F.interpolate(self.normal((count, 3, 8, 8), generator), size=SIDE, mode="bilinear")
        pieces = images.unfold(2, 16, 16).unfold(3, 16, 16).flatten(2, 3)
        order = torch.randperm(16, generator=generator).to(images.device)
        shuffled = pieces[:, :, order].unflatten(2, (4, 4)).permute(0, 1, 2, 4, 3, 5).reshape(images.shape)
        level = self.uniform((count, 1, 1, 1), generator)
        ways = (
            soft(images, 3.5 + 5 * self.uniform((count,), generator)),
            images * (0.4 * level) + noise * (0.5 + level),
            torch.where(level < 0.5, noise, cloud),
            shuffled,
            (images + images.roll(1, 0).flip(2)) / 2,
        )
        start = int(torch.randint(0, len(ways), (1,), generator=generator))
        chosen = [ways[(i + start) % len(ways)][i] for i in range(count)]
        return torch.stack(chosen).clamp(-1, 1) if chosen else images

    def batch(self, count: int, generator: Generator) -> tuple[Any, ...]:
        indices = self.draw(count, generator)
        images, truth = self.worsen(self.pixels(self.scenes, indices), self.truth(self.scenes, indices), generator)
        readable = torch.ones(count, device=self.device)
        ruined = round(self.options["unreadable"] * count)
        if ruined:
            tail = slice(count - ruined, count)
            images = torch.cat([images[: count - ruined], self.ruined(images[tail], generator)])
            readable[tail] = 0
            truth.boxes[tail], truth.ids[tail], truth.summary[tail] = 0, -1, -1
        return images.contiguous(memory_format=torch.channels_last), truth, readable

    # -- losses and measures ---------------------------------------------------------------------------------

    def losses(self, net: nn.Module, images: Tensor, truth: Truth, readable: Tensor) -> dict[str, Tensor]:
        cells, summary = net(images)
        bumps = gaussians(truth.boxes)
        near, owner = bumps.max(1)
        b, y, x = (near > NEAR).nonzero(as_tuple=True)
        told = cells[b, :, y, x]
        box, ids = truth.boxes[b, owner[b, y, x]], truth.ids[b, owner[b, y, x]]
        centre = torch.stack([box[:, 0] * GRID - (x + 0.5), box[:, 1] * GRID - (y + 0.5)], 1)
        offset = F.smooth_l1_loss(told[:, 1:3], centre, beta=0.2, reduction="sum")
        size = F.smooth_l1_loss(told[:, 3], box[:, 2] * 4, beta=0.2, reduction="sum")
        split = GEOMETRY + len(self.names["things"])
        parts = {
            "heat": focal(cells[:, 0], near),
            "place_in_cell": (offset + size) / max(1, len(b)),
            "things": cross_entropy(told[:, GEOMETRY:split], ids[:, 0]),
            "colours": cross_entropy(told[:, split:], ids[:, 1]),
            "readable": F.binary_cross_entropy_with_logits(summary[:, 0], readable),
        }
        sizes = [len(table) for name, table in self.names.items() if name not in CELL_TABLES]
        logits = summary[:, 1:].split(sizes, 1)
        parts["summary"] = sum(cross_entropy(one, truth.summary[:, i]) for i, one in enumerate(logits))
        return parts

    def loss(self, batch: tuple[Any, ...]) -> dict[str, Tensor]:
        parts = self.losses(self.net, *batch)
        total = sum(WEIGHTS[name] * value for name, value in parts.items())
        return {"loss": total} | {name: value.detach() for name, value in parts.items()}

    def held_batch(self) -> tuple[Any, ...]:
        images = self.pixels(self.held, self.held_indices)
        return images, self.truth(self.held, self.held_indices), torch.ones(len(images), device=self.device)

    @torch.no_grad()
    def held_loss(self, net: nn.Module) -> float:
        parts = self.losses(net.eval(), *self.held_batch())
        return float(sum(WEIGHTS[name] * value for name, value in parts.items()))

    @torch.no_grad()
    def measures(self, net: nn.Module) -> dict[str, float]:
        """Shares of held-out scenes: names and colours right at the true centres, number of peaks right, each table
        of the summary right; ruined pictures that are called unreadable."""
        images, truth, _ = self.held_batch()
        cells, summary = net.eval()(images)
        b, k = (truth.boxes[..., 2] > 0).nonzero(as_tuple=True)
        x, y = (truth.boxes[b, k, :2] * GRID).long().clamp(0, GRID - 1).unbind(1)
        told, split = cells[b, :, y, x], GEOMETRY + len(self.names["things"])
        heat = torch.sigmoid(cells[:, 0])
        peaks = (heat == F.max_pool2d(heat, 5, 1, 2)) & (heat > 0.35)
        out = {
            "name_right": right(told[:, GEOMETRY:split], truth.ids[b, k, 0]),
            "colour_right": right(told[:, split:], truth.ids[b, k, 1]),
            "count_right": float((peaks.sum((1, 2)) == (truth.boxes[..., 2] > 0).sum(1)).float().mean()),
            "readable": float((summary[:, 0] > 0).float().mean()),
        }
        tables = [(name, len(table)) for name, table in self.names.items() if name not in CELL_TABLES]
        for i, logits in enumerate(summary[:, 1:].split([size for _, size in tables], 1)):
            out[f"{tables[i][0]}_right"] = right(logits, truth.summary[:, i])
        ruined = self.ruined(images, Generator().manual_seed(7))
        return out | {"rejected": float((net(ruined)[1][:, 0] < 0).float().mean())}

    @torch.no_grad()
    def sheet(self, net: nn.Module) -> np.ndarray:
        """Held-out scenes with the names that the detector gives to the true centres."""
        indices = self.held_indices[:32]
        images, truth = self.pixels(self.held, indices), self.truth(self.held, indices)
        cells, _ = net.eval()(images)
        columns = min(8, len(indices))
        picture = Image.fromarray(tile(images, columns, 3))
        pen, side = ImageDraw.Draw(picture), SIDE * 3
        for b, k in (truth.boxes[..., 2] > 0).nonzero().tolist():
            x, y, _ = truth.boxes[b, k].tolist()
            place = int(min(y, 0.999) * GRID), int(min(x, 0.999) * GRID)
            name = self.names["things"][int(cells[b, GEOMETRY:, *place][: len(self.names["things"])].argmax())]
            spot = ((b % columns + x) * side, (b // columns + y) * side)
            pen.text(spot, name, "white", anchor="mm", stroke_width=2, stroke_fill="black")
        return np.asarray(picture)


def cross_entropy(logits: Tensor, ids: Tensor) -> Tensor:
    """Mean over the rows whose id is known (not -1); 0 if there are none."""
    known = ids >= 0
    return F.cross_entropy(logits[known], ids[known]) if bool(known.any()) else logits.sum() * 0


def right(logits: Tensor, ids: Tensor) -> float:
    """Share of the rows with a known id whose largest logit is it; 1 if there are none."""
    known = ids >= 0
    return float((logits[known].argmax(1) == ids[known]).float().mean()) if bool(known.any()) else 1.0


TASKS["detector"] = DetectorTask
