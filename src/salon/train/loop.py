"""The one training loop: autoencoder, transformer and upscaler differ only in their recipe and their task."""

import copy
import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from PIL import Image
from torch import nn
from tqdm import tqdm

import salon.train.contrasting
import salon.train.detector
import salon.train.enlarging
import salon.train.fewsteps
import salon.train.painting
import salon.train.tokenizing
import salon.train.unclip
import salon.train.upscaling  # noqa: F401 (these add their tasks to TASKS)
from salon.core.errors import StorageFull, TrainingError
from salon.nets.adapter import adapter_of, merged
from salon.train import recipe as recipes
from salon.train.base import Task
from salon.train.optimisers import optimisers_for
from salon.train.tasks import TASKS
from salon.train.weights import ADAPTER, load_adapter, load_into, past, save_adapter, save_weights

FORMAT = 2
#: steps between updates of the averaged weights; the decay is raised to this power
EMA_EVERY = 4
#: of the matrix products of a step; weights, averages and sums stay float32
PRECISIONS = ("float32", "bfloat16")


class Average:
    """Exponential moving average of a network's weights; buffers (statistics) are taken as they are."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.net, self.decay = copy.deepcopy(net).requires_grad_(False).eval(), decay
        self.mine, self.theirs = list(self.net.parameters()), list(net.parameters())
        self.buffers = list(zip(self.net.buffers(), net.buffers()))

    @torch.no_grad()
    def update(self, step: int, averaged: list[torch.Tensor] | None = None) -> None:
        """Short memory at first, so that the start is forgotten: decay (1+step)/(10+step) at most. Weights that the
        optimiser has `averaged` itself are taken as they are."""
        decay = 0.0 if averaged else min(self.decay, (1 + step) / (10 + step)) ** EMA_EVERY
        torch._foreach_lerp_(self.mine, averaged or self.theirs, 1 - decay)
        for mine, theirs in self.buffers:
            mine.copy_(theirs)


class Clock:
    """When it is time again: every `minutes`, first after `minutes`."""

    def __init__(self, minutes: float) -> None:
        self.seconds = minutes * 60
        self.due = time.monotonic() + self.seconds

    def rings(self) -> bool:
        if time.monotonic() < self.due:
            return False
        self.due = time.monotonic() + self.seconds
        return True


class Crew:
    """The processes that train together, each on its own share of every batch: several GPUs, or several cores of
    one machine that do not share a step well. Started by torchrun, whose variables say who is who; alone otherwise."""

    def __init__(self) -> None:
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        if self.size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    def agree(self, net: nn.Module, progress: float, stopping: bool) -> tuple[float, bool]:
        """Average the gradients over the crew; the leader's progress and anyone's wish to stop go along."""
        if self.size == 1:
            return progress, stopping
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        word = gradients[0].new_tensor([progress if self.rank == 0 else 0.0, float(stopping)])
        flat = torch.cat([word, *(gradient.reshape(-1) for gradient in gradients)])
        dist.all_reduce(flat)
        parts = (flat[2:] / self.size).split([gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients)])
        return float(flat[0]), bool(flat[1] > 0)

    def part(self) -> None:
        """Ends the crew: a process whose threads still listen for the others may be aborted at its very end."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()


class Trainer:
    """One run in one folder: `state.pt` (all that is needed to go on), `weights.safetensors` (the better of the
    averages), `log.jsonl`, `recipe.json`, `sheets/`."""

    def __init__(self, recipe: dict[str, Any], data: Path | Sequence[Path], out: Path, minutes: float | None) -> None:
        self.recipe, self.out, self.minutes = recipe, Path(out), minutes
        self.options = recipe["train"]
        if self.options["precision"] not in PRECISIONS:
            known = " or ".join(PRECISIONS)
            raise TrainingError(f"There is no precision {self.options['precision']!r}.", f"Set it to {known}.")
        self.bfloat16 = self.options["precision"] == "bfloat16"
        if not minutes and not self.options["images"]:
            raise TrainingError("The run has no end.", "Give --minutes M or --set images=N.")
        self.crew = Crew()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        self.task: Task = TASKS[recipe.get("lesson", recipe["model"])](recipe, data, self.device)
        self.net = self.task.net
        self.generator = torch.Generator().manual_seed(recipe["seed"] + self.crew.rank)
        self.start_over()

    def start_over(self) -> None:
        """Fresh optimiser and averages around the network's present weights."""
        self.optimiser = optimisers_for(self.net, self.options)
        self.averages = [Average(self.net, decay) for decay in self.options["ema"]]
        self.step, self.images, self.seconds, self.best, self.stopping = 0, 0, 0.0, 0, False
        self.past: dict[str, float] = {"images": 0, "minutes": 0}
        self.agreed: float | None = None
        self.sums: dict[str, torch.Tensor] = {}
        self.summed = 0

    @property
    def progress(self) -> float:
        """Done share of the run, by images and by minutes, whichever is further; in a crew the leader's."""
        return self.agreed if self.agreed is not None else self.own_progress()

    def own_progress(self) -> float:
        by_images = self.images / self.options["images"] if self.options["images"] else 0.0
        by_minutes = self.seconds / (self.minutes * 60) if self.minutes else 0.0
        return min(1.0, max(by_images, by_minutes))

    def learning_rate(self) -> float:
        """Warm-up, constant, then straight down to a hundredth over the last `decay` of the run (a schedule-free
        optimiser does without that)."""
        o = self.options
        if self.optimiser.schedule_free:
            return o["lr"] * min(1.0, (self.step + 1) / max(1, o["warmup"]))
        fall = min(1.0, (1 - self.progress) / o["decay"]) if o["decay"] else 1.0
        return o["lr"] * min(1.0, (self.step + 1) / max(1, o["warmup"])) * max(0.01, fall)

    def train_step(self) -> None:
        batch = self.task.batch(self.options["batch"], self.generator)
        rate = self.learning_rate()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            losses = self.task.loss(batch)
        self.net.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.step += 1
        self.images += self.options["batch"] * self.crew.size
        if self.crew.size > 1:
            self.agreed, self.stopping = self.crew.agree(self.net, self.own_progress(), self.stopping)
        nn.utils.clip_grad_norm_(self.net.parameters(), self.options["clip"])
        self.optimiser.step(rate)
        if self.step % EMA_EVERY == 0:
            averaged = self.optimiser.averaged(list(self.net.parameters()))
            for average in self.averages:
                average.update(self.step, averaged)
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()
        self.summed += 1

    # -- what is written -------------------------------------------------------------------------------------

    def log(self, **values: Any) -> None:
        """One line of JSON; then the means of the losses begin anew."""
        means = {name: round(float(total) / self.summed, 6) for name, total in self.sums.items()}
        if not all(value == value and abs(value) < 1e6 for value in means.values()):
            raise TrainingError(
                f"The loss is no longer a number at step {self.step}.", "Resume the last state with a smaller train.lr."
            )
        line = {"step": self.step, "images": self.images, "seconds": round(self.seconds, 1), **means, **values}
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.sums, self.summed = {}, 0

    def evaluate(self) -> dict[str, float]:
        """Held-out loss of every average; all measures of the best."""
        losses = [self.task.held_loss(average.net) for average in self.averages]
        self.best = losses.index(min(losses))
        found = {"held_loss": losses[self.best]} | self.task.measures(self.averages[self.best].net)
        found |= {f"held_loss_ema{d}": loss for d, loss in zip(self.options["ema"], losses)}
        return {name: round(value, 6) for name, value in found.items()}

    def draw_sheet(self) -> None:
        folder = self.out / "sheets"
        folder.mkdir(exist_ok=True)
        picture = Image.fromarray(self.task.sheet(self.averages[self.best].net))
        picture.save(folder / f"{self.images:08d}.png")
        picture.save(self.out / "sheet.png")

    def save(self) -> None:
        """Write state and weights, each whole or not at all. Raises StorageFull."""
        state = {
            "format": FORMAT,
            "recipe": self.recipe,
            "step": self.step,
            "images": self.images,
            "seconds": self.seconds,
            "past": self.past,
            "best": self.best,
            "net": self.net.state_dict(),
            "averages": [average.net.state_dict() for average in self.averages],
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "task": self.task.state(),
        }
        unfinished = self.out / "state.tmp"
        try:
            torch.save(state, unfinished)
            os.replace(unfinished, self.out / "state.pt")
            about = {
                "model": self.recipe["model"],
                "images": round(self.past["images"] + self.images),
                "minutes": round(self.past["minutes"] + self.seconds / 60),
                "world": self.task.scenes.meta.get("world", ""),
                "world_version": self.task.scenes.meta.get("world_version", ""),
            }
            best = self.averages[self.best].net
            if adapter := adapter_of(best):
                save_adapter(adapter, self.out / ADAPTER, base=self.task.options["base"], **about)
            save_weights(merged(best) if adapter else best, self.out / "weights.safetensors", **about)
        except (OSError, RuntimeError) as error:
            raise StorageFull(f"The state could not be written: {error}.", "Make room and resume.") from error

    # -- what is read ----------------------------------------------------------------------------------------

    def load(self) -> None:
        """Go on from `state.pt`. Raises TrainingError if it is missing, damaged or of another network."""
        path = self.out / "state.pt"
        hint = f"Remove {path} and start again from the run's weights with --init."
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
            if state["format"] != FORMAT:
                raise ValueError(f"format {state['format']}")
            if state["recipe"]["net"] != self.recipe["net"]:
                raise TrainingError("The saved state is of another network.", "Use the run's own net.* settings.")
            self.net.load_state_dict(state["net"])
            for average, tensors in zip(self.averages, state["averages"], strict=True):
                average.net.load_state_dict(tensors)
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["generator"].cpu())
            self.task.load_state(state["task"])
            self.step, self.images = state["step"], state["images"]
            self.seconds, self.best, self.past = state["seconds"], state["best"], state.get("past", self.past)
        except FileNotFoundError as error:
            raise TrainingError(f"There is no state in {self.out}.", "Start without --resume.") from error
        except (OSError, RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
            raise TrainingError(f"The saved state {path} is damaged ({type(error).__name__}).", hint) from error
        if self.crew.rank:  # the saved chance is the leader's
            self.generator.manual_seed(self.recipe["seed"] + self.crew.rank + 1000 * self.step)

    def begin_from(self, init: Path) -> None:
        """Start from weights with a fresh optimiser, a network with an adapter from an adapter. Raises
        TrainingError."""
        model = self.recipe["model"]
        if model == "transformer" and adapter_of(self.net):
            load_adapter(self.net, init)
            self.start_over()
            return
        load_into(self.net, init, model)
        self.start_over()
        self.past = past(init, model)

    # -- the loop --------------------------------------------------------------------------------------------

    def catch_term(self) -> Any:
        """SIGTERM ends the run after the step at hand, with its state saved. Returns the handler before."""
        if threading.current_thread() is threading.main_thread():
            return signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))
        return None

    def run(self, save_minutes: float = 5, log_minutes: float = 1, sheet_minutes: float = 20) -> bool:
        """Train to the end, or until SIGTERM; True if the end was reached."""
        before = self.catch_term()
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / "recipe.json").write_text(json.dumps(self.recipe, indent=1), "utf-8")
            self.loop(Clock(save_minutes), Clock(log_minutes), Clock(sheet_minutes))
            if self.crew.rank:
                return not self.stopping
            if not self.stopping:
                self.task.settle(self.averages[self.best].net)
            if self.summed:
                self.log(lr=self.learning_rate(), **self.evaluate())
            self.save()
            self.draw_sheet()
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)
        return not self.stopping

    def loop(self, save: Clock, log: Clock, sheet: Clock) -> None:
        """Steps, until the run is done; log, measures with the state, and sheets each at their own pace."""
        self.net.train()
        form = "{l_bar}{bar}| {elapsed}<{remaining} {postfix}"
        bar = tqdm(total=100, unit="%", disable=bool(self.crew.rank), bar_format=form, mininterval=1)
        bar.update(self.progress * 100)
        last = time.monotonic()
        logged_images, logged_at = self.images, last
        while self.progress < 1 and not self.stopping:
            self.train_step()
            now = time.monotonic()
            self.seconds, last = self.seconds + now - last, now
            bar.update(self.progress * 100 - bar.n)
            if self.crew.rank or not log.rings():
                continue
            rate = (self.images - logged_images) / (now - logged_at)
            loss = float(self.sums["loss"]) / self.summed
            bar.set_postfix_str(f"{self.images} images, {rate:.1f}/s, loss {loss:.4f}")
            due = save.rings()
            self.log(images_per_second=round(rate, 2), lr=self.learning_rate(), **(self.evaluate() if due else {}))
            if due:
                self.save()
                self.task.refresh()
            if sheet.rings():
                self.draw_sheet()
            logged_images, logged_at = self.images, time.monotonic()
        bar.close()


def run(
    recipe_name: str,
    data: str | Path | Sequence[str | Path],
    out: str | Path,
    minutes: float | None = None,
    resume: bool = False,
    init: str | Path | None = None,
    sets: Mapping[str, Any] | None = None,
    **pace: float,
) -> bool:
    """Train recipe `recipe_name` on the folder(s) `data`, everything written to the folder `out`.

    Ends after `minutes` of training (all sittings together) or the recipe's images. `resume` goes on from
    `out/state.pt` if it is there; `init` starts from weights (run folder, .safetensors, exported ONNX) with a
    fresh optimiser. Returns True when the end was reached, False after SIGTERM. Raises TrainingError."""
    folders = [Path(folder) for folder in ([data] if isinstance(data, str | Path) else data)]
    trainer = Trainer(recipes.load(recipe_name, sets), folders, Path(out), minutes)
    if resume and (trainer.out / "state.pt").exists():
        trainer.load()
    elif init:
        trainer.begin_from(Path(init))
    try:
        return trainer.run(**pace)
    finally:
        trainer.crew.part()
