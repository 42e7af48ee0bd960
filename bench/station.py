"""What a visitor waits for, over real HTTP: python bench/station.py [--json] [--times N].

Opens the whole house (`salon run`) in a folder of its own, closes it, and opens it again. Figures of the second start:
`first_page_s` from the command to the whole station page; `page_kb` of that page with its styles, scripts and fonts,
without images; `first_preview_p50_ms` and `nine_p50_s` from pressing the button to the first preview and to the end of
nine images at the default steps; `engine_rss_mb` at its highest; `vs_torch_eager` says how many times as long torch
takes for the same networks, steps and batch (null without torch).
"""

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROMPT = "three red foxes to the left of a blue teapot in the snow"
PATIENCE = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """`salon run` in a folder of its own; `first_page_s` from the command to the whole station page."""

    def __init__(self, home: str) -> None:
        self.port, self.cookie = free_port(), ""
        start = time.perf_counter()
        command = [sys.executable, "-m", "salon", "run", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=os.environ | {"SALON_HOME": home}, stdout=subprocess.DEVNULL)
        self.page = self._until(lambda: self.get("/station"))
        self.first_page_s = time.perf_counter() - start
        self._until(lambda: json.loads(self.get("/healthz")).get("engine") in ("ready", "missing"))
        self.model = json.loads(self.get("/api/models"))["models"]

    def _until(self, look: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if answer := look():
                    return answer
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise SystemExit("The house did not open; its own words stand above.")

    def _call(self, method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {"Authorization": f"Bearer {self.cookie}"} if self.cookie else {})
        answer = connection.getresponse()
        if found := re.match(r"[^=]+=([^;]+)", answer.headers.get("Set-Cookie", "")):
            self.cookie = found[1]
        return answer

    def get(self, path: str) -> bytes:
        return self._call("GET", path).read()

    def events(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        tag = ""
        for line in self._call("GET", path):
            if line.startswith(b"event: "):
                tag = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield tag, json.loads(line[6:])

    def nine(self, seed: int) -> tuple[float, float]:
        """(ms to the first preview, s to the last of nine images) as a browser sees them."""
        start, shown = time.perf_counter(), 0.0
        answer = self._call("POST", "/api/requests", json.dumps({"prompt": PROMPT, "seed": seed, "count": 9}).encode())
        request = json.loads(answer.read())
        if answer.status != 202:
            raise SystemExit(f"{request.get('message')} {request.get('hint')}")
        tag = "nothing"
        for tag, _ in self.events(request["updates"]):
            shown = shown or (tag == "preview" and time.perf_counter() - start)
        if tag != "finished":
            raise SystemExit(f"The drawing ended as {tag}.")
        return shown * 1000, time.perf_counter() - start

    def settle(self) -> None:
        """Waits until the engine rests: a new house draws a first hang for itself."""
        before = -1
        while before != (before := self._engine()[1]):
            time.sleep(1)

    def engine_rss_mb(self) -> float:
        return self._engine()[0]

    def _engine(self) -> tuple[float, int]:
        """The engine's process: highest resident memory so far in MB, and the ticks it has computed."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
                command = (status.parent / "cmdline").read_bytes()
                stat = (status.parent / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(lines["PPid"]) == self.process.pid and b"salon.engine.service" in command:
                return round(int(lines["VmHWM"].split()[0]) * 1024 / 1e6, 1), (int(stat[11]) + int(stat[12])) // 5
        raise SystemExit("The engine's process was not found.")

    def page_kb(self) -> float:
        """The station page with the styles, scripts and fonts that it asks for, kB as sent."""
        seen, todo, total = set(), [("/station", self.page.decode())], len(self.page)
        while todo:
            base, text = todo.pop()
            found = re.findall(r"""(?:href|src)="([^"]+\.(?:css|js|woff2))"|url\(["']?([^"')]+\.woff2)|"""
                               r"""from "(\./[^"]+)"|import "(\./[^"]+)\"""", text)  # fmt: skip
            for name in (next(filter(None, names)) for names in found):
                path = os.path.normpath(os.path.join(os.path.dirname(base), name))
                if path not in seen:
                    seen.add(path)
                    data = self.get(path)
                    total += len(data)
                    if not path.endswith("woff2"):
                        todo.append((path, data.decode()))
        return round(total / 1000, 1)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def torch_eager_s(model: str, steps: int, times: int) -> float | None:
    """Seconds of the same networks in torch eager: guided steps for nine, decoder, upscaler. None without torch."""
    try:
        import torch

        from salon.train.weights import load_net
    except ImportError:
        return None
    from salon.engine.registry import weights_folders

    folder = next(f / model for f in weights_folders() if (f / model / "model.json").is_file())
    card = json.loads((folder / "model.json").read_text())
    folder = folder.parent / card["networks"]["transformer"].get("of", model)  # an adapter costs torch nothing
    guided = card["defaults"]["guidance_scale"] > 1
    transformer, autoencoder, upscaler = (
        load_net(folder / file, name)
        for file, name in (
            ("transformer.onnx", "transformer"),
            ("decoder.onnx", "autoencoder"),
            ("upscaler.onnx", "upscaler"),
        )
    )
    torch.set_num_threads(2)
    side = transformer.grid * transformer.patch
    rows = 18 if guided else 9
    sample, embeds = torch.randn(9, transformer.channels, side, side), torch.randn(rows, 16, 384)
    mask = torch.ones(rows, 16, dtype=torch.long)

    def draw() -> None:
        x = sample
        for step in range(steps):
            t = torch.full((rows,), 1 - step / steps)
            flow = transformer(torch.cat([x, x]) if guided else x, t, embeds, mask)
            if guided:
                cond, uncond = flow.chunk(2)
                flow = uncond + 3 * (cond - uncond)
            x = x - flow / steps
        upscaler(autoencoder.decode(x))

    with torch.inference_mode():
        draw()
        return statistics.median(timed(draw) for _ in range(times))


def timed(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        first = House(home)
        first.settle()
        first.close()
        house = House(home)
        try:
            house.settle()
            model = next(m for m in house.model if m["ready"])
            house.nine(0)
            waits = [house.nine(9 * turn) for turn in range(1, options.times + 1)]
            nine = statistics.median(s for _, s in waits)
            steps = model["defaults"]["num_inference_steps"]
            figures: dict[str, Any] = {
                "model": model["name"],
                "steps": steps,
                "nine_p50_s": round(nine, 3),
                "first_preview_p50_ms": round(statistics.median(ms for ms, _ in waits), 1),
                "engine_rss_mb": house.engine_rss_mb(),
                "first_page_s": round(house.first_page_s, 2),
                "page_kb": house.page_kb(),
            }
        finally:
            house.close()
    eager = torch_eager_s(model["name"], steps, 3)
    figures["torch_eager_s"] = eager and round(eager, 3)
    figures["vs_torch_eager"] = eager and round(eager / nine, 2)
    print(json.dumps(figures) if options.json else "\n".join(f"{k:22} {v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
