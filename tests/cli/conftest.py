"""The real command, as a person starts it: in a process of its own."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SALON = Path(sys.executable).with_name("salon")
TINY = Path(__file__).parents[1] / "engine" / "tiny.py"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A folder of weights with one small real model, `a-tiny-one`, that sorts before the house's own."""
    folder = tmp_path_factory.mktemp("weights")
    runpy.run_path(str(TINY))["model"](folder, name="a-tiny-one")
    return folder


@pytest.fixture
def environment(tiny, tmp_path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALON_", "DJANGO_"))}
    kept["SALON_GRAPHS"] = os.environ["SALON_GRAPHS"]
    return kept | {"SALON_WEIGHTS": str(tiny), "SALON_HOME": str(tmp_path / "home")}


@pytest.fixture
def salon(environment, tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """`salon(*arguments)` runs the command in an empty folder. No answer ever holds a traceback."""

    def run(*arguments: object, **options) -> subprocess.CompletedProcess:
        command = [str(SALON), *map(str, arguments)]
        defaults = {"capture_output": True, "text": True, "cwd": tmp_path, "env": environment, "timeout": 600}
        done = subprocess.run(command, **(defaults | options))
        assert "Traceback" not in (done.stderr or "")
        return done

    return run
