"""How fast the engine draws on this machine: python bench/engine.py [--json] [--weights DIR] [--model NAME].

Figures: `step_ms` of one guided step at 1, 9 and 18 images; `nine_p50_s` for nine finished images and
`first_preview_p50_ms` from submitting, both through a service in its own process; `engine_rss_mb` of that process at
its highest; `torch_step_ms` of the same transformer by torch eager (null without torch, and `vs_torch_eager` with it).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from salon.core.recipe import Request
from salon.core.update import Finished, Preview
from salon.diffusion.samplers import SAMPLERS
from salon.engine.client import RemoteEngine
from salon.engine.drawing import choose
from salon.engine.recipes import make_recipe
from salon.engine.registry import Registry, weights_folders

PROMPT = "three red foxes to the left of a blue teapot in the snow"


def milliseconds(call: Any, times: int) -> float:
    """Median of `times` calls after one to warm up."""
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken) * 1000, 1)


def steps(registry: Registry, name: str, times: int) -> dict[str, float]:
    """ms of one guided step of the first stage, of the previews, and of the upscaling, by images."""
    info, stages = registry.info(name), registry.load(name).stages
    found: dict[str, float] = {}
    for count in (1, 9, 18):
        states = stages[0].begin([make_recipe(info, PROMPT, seed) for seed in range(count)], [None] * count)
        found[f"step_ms_{count}"] = milliseconds(lambda s=states: stages[0].step(s), times)
        found[f"preview_ms_{count}"] = milliseconds(lambda s=states: stages[0].preview(s), times)
    if len(stages) > 1:
        small = [np.zeros((3, 64, 64), np.float32)] * 9
        found["upscale_ms_9"] = milliseconds(lambda: stages[1].finish(stages[1].begin([], small)), times)
    return found


def served(weights: Path | None, name: str, times: int) -> dict[str, float]:
    """Nine images through a service, as the desk asks for them."""
    command = [sys.executable, "-m", "salon.engine.service", *(["--weights", str(weights)] if weights else [])]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"SALON_HOME": home}) as process,
    ):
        assert process.stdout
        engine = RemoteEngine(json.loads(process.stdout.readline())["address"])
        info = choose(engine.models(), name)
        nine, first = [], []
        for turn in range(times + 1):
            recipes = tuple(make_recipe(info, PROMPT, seed + 9 * turn) for seed in range(9))
            start, shown = time.perf_counter(), 0.0
            engine.submit(Request(id=f"r{turn}", visitor="bench", recipes=recipes))
            for update in engine.updates():
                if isinstance(update, Preview) and not shown:
                    shown = time.perf_counter() - start
            assert isinstance(update, Finished), update
            nine.append(time.perf_counter() - start)
            first.append(shown * 1000)
        peak = max_rss_mb(process.pid)
        process.kill()
    return {
        "nine_p50_s": round(statistics.median(nine[1:]), 3),
        "first_preview_p50_ms": round(statistics.median(first[1:]), 1),
        "engine_rss_mb": peak,
        "steps": info.defaults["num_inference_steps"],
    }


def max_rss_mb(pid: int) -> float:
    """Highest resident memory of a process so far, MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6, 1)


def torch_step_ms(folder: Path, batch: int, times: int) -> float | None:
    """The same transformer by torch eager on the rows of one guided step; None without torch."""
    try:
        import torch

        from salon.train.weights import load_net
    except ImportError:
        return None
    torch.set_num_threads(2)
    net = load_net(folder / "transformer.onnx", "transformer").eval()
    side = net.grid * net.patch
    feeds = (torch.randn(batch, net.channels, side, side), torch.rand(batch), torch.randn(batch, 16, 384))
    with torch.inference_mode():
        return milliseconds(lambda: net(*feeds, torch.ones(batch, 16, dtype=torch.long)), times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--weights", type=Path, help="a folder of models beside the built-in ones")
    parser.add_argument("--model", help="which model; default: the first that is ready")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    folders = [options.weights, *weights_folders()] if options.weights else weights_folders()
    with tempfile.TemporaryDirectory() as cache:
        registry = Registry(folders, Path(cache))
        name = choose(registry.infos(), options.model).name
        figures: dict[str, Any] = {"model": name, "samplers": len(SAMPLERS)} | steps(registry, name, options.times)
    figures |= served(options.weights, name, options.times)
    folder = next(f / name for f in folders if (f / name / "model.json").is_file())
    figures["torch_step_ms_9"] = eager = torch_step_ms(folder, 18, options.times)
    figures["vs_torch_eager"] = round(eager / figures["step_ms_9"], 2) if eager else None
    print(json.dumps(figures) if options.json else "\n".join(f"{k:22} {v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
