"""The shipped probes on the shipped models, as a person starts them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SALON = Path(sys.executable).with_name("salon")


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALON_", "DJANGO_"))}
    kept["SALON_GRAPHS"] = os.environ["SALON_GRAPHS"]

    def run(probe, model):
        command = [str(SALON), "audit", "run", probe, "--model", model, "--out", f"{probe}-{model}", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=kept | {"SALON_HOME": str(home)},
                              timeout=7_000, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-2_000:]
        return json.loads(done.stdout)

    return run


@pytest.mark.slow
@pytest.mark.lengthy
def test_the_planted_skews_are_found_and_the_controls_stay_quiet(audit):
    out = audit("occupations", "latent-flawed")
    assert (out["planted"], out["planted_found"]) == (5, 5)
    assert out["controls_flagged"] <= 0.03 * out["controls"]


@pytest.mark.slow
@pytest.mark.lengthy
def test_the_clean_model_stays_quiet(audit):
    out = audit("occupations", "latent")
    assert out["planted_found"] == 0
    assert out["controls_flagged"] <= 0.03 * out["controls"]


@pytest.mark.slow
@pytest.mark.lengthy
def test_the_repeated_pictures_are_found_and_like_titles_are_not(audit):
    flawed = audit("memorisation", "latent-flawed")
    assert (flawed["planted"], flawed["planted_found"], flawed["controls_flagged"]) == (5, 5, 0)
    assert audit("memorisation", "latent")["flagged"] == []
