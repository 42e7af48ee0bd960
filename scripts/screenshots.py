"""Pictures of the rooms for the README and docs/design.md, taken in a real browser from a house of their own.

    python scripts/screenshots.py --out docs/images            # station, gallery, wall: the README's
    python scripts/screenshots.py --all --out /tmp/rooms        # every page: light and dark, phone, desktop and 4K wall

Needs chromium (Debian's, or SALON_CHROMIUM) and the extra `test`. The house hangs the demo exhibition; prompt and seed
are below, a first draw, nothing picked.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

PROMPT, SEED = "a castle in the snow by Van Gogh", 1
FLAGS = ["--no-sandbox", "--headless", "--disable-background-networking"]
SIZES = {"phone": (390, 844), "desktop": (1280, 800), "4k": (3840, 2160)}


class House:
    """`salon demo` and `salon run` in a folder of their own."""

    def __init__(self, home: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = os.environ | {"SALON_HOME": home}
        subprocess.run([sys.executable, "-m", "salon", "demo"], env=environment, check=True)
        words = [sys.executable, "-m", "salon", "run", "--port", str(self.port)]
        self.process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.entry = next(found[0] for line in self.process.stdout if (found := re.search(r"http\S+/enter/\S+", line)))
        while b'"engine": "ready"' not in urllib.request.urlopen(f"{self.url}/healthz").read():
            time.sleep(0.2)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def shot(page: Page, path: Path, whole: bool = False) -> None:
    """The page as WebP."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1500)
    png = path.with_suffix(".png")
    page.screenshot(path=png, full_page=whole)
    Image.open(png).convert("RGB").save(path, quality=82)
    png.unlink()
    print(path)


def draw(page: Page) -> None:
    page.goto(f"/station?prompt={PROMPT}&seed={SEED}")
    page.click("#draw")
    page.wait_for_selector("#grid[aria-busy=false] .pane:nth-child(9):is(.done, .withheld)", timeout=120_000)
    page.evaluate("document.activeElement.blur()")


def opened(browser: Browser, house: House, size: tuple[int, int], scheme: str = "light") -> Page:
    context = browser.new_context(
        base_url=house.url, viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
    )
    context.set_default_timeout(120_000)
    return context.new_page()


def readme(browser: Browser, house: House, out: Path) -> None:
    page = opened(browser, house, SIZES["desktop"])
    draw(page)
    shot(page, out / "station.webp")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/gallery")
    shot(page, out / "gallery.webp")
    page.set_viewport_size({"width": 1600, "height": 900})
    page.goto("/wall?layout=triptych&seconds=600")
    shot(page, out / "wall.webp")


def everything(browser: Browser, house: House, out: Path) -> None:
    for scheme in ("light", "dark"):
        for name in ("desktop", "phone"):
            page = opened(browser, house, SIZES[name], scheme)
            draw(page)
            shot(page, out / f"station-{name}-{scheme}.webp", True)
            page.goto("/gallery")
            work = page.get_attribute(".piece a", "href")
            paths = {"home": "/", "gallery": "/gallery", "work": work, "mine": "/mine", "missing": "/nothing-here"}
            paths["refuses"] = "/refuses"
            paths |= {"arena": "/arena", "leaderboard": "/arena/leaderboard"}
            page.goto("/mine")
            image = page.get_attribute(".strip a", "href")
            paths |= {"image": image, "hang": f"{image}/hang", "report": f"{image}/report"}
            for room, path in paths.items():
                page.goto(path)
                shot(page, out / f"{room}-{name}-{scheme}.webp", True)
        for layout in ("single", "triptych", "mosaic", "ticker"):
            for size in (SIZES["4k"], (1080, 1920)):
                page = opened(browser, house, size, scheme)
                page.goto(f"/wall?layout={layout}&seconds=600")
                shot(page, out / f"wall-{layout}-{size[0]}-{scheme}.webp")
    page = opened(browser, house, SIZES["desktop"])
    page.goto(house.entry)
    page.click("text=Come in")
    page.wait_for_url("**/backstage")
    for room in ("", "/screens", "/reports", "/findings", "/devices", "/trail", "/cheatsheet"):
        page.goto(f"/backstage{room}")
        shot(page, out / f"backstage{room.replace('/', '-')}.webp", True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("SALON_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        house = House(home)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            (everything if options.all else readme)(browser, house, options.out)
        finally:
            browser.close()
            house.close()


if __name__ == "__main__":
    main()
