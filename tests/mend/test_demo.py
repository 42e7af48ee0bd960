"""`salon mend demo`, the whole way with few pictures: an audit that finds, a plan written first, lessons, an edit, a
proof, a report. What few pictures decide is not asked here; that the same command goes on from where it was is."""

import json
import os
import subprocess
import sys

import pytest

from salon.engine.registry import BUILT_IN, Registry

FEW = ["--audit-seeds", "5", "--images", "48", "--seeds", "2", "--composition", "2", "--nice", "0", "--json"]


def salon(home, *words):
    environment = {**os.environ, "SALON_HOME": str(home)}
    done = subprocess.run([sys.executable, "-m", "salon", *words], env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr[-4000:]
    return done


@pytest.mark.slow
@pytest.mark.lengthy
def test_the_whole_way(tmp_path):
    out = tmp_path / "demo"
    done = salon(tmp_path, "mend", "demo", "--out", str(out), *FEW)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    report = json.loads((out / "report.json").read_text())
    plan = json.loads((out / "plan.json").read_text())
    assert set(told["methods"]) == {"balanced", "edited", "sham"}
    assert told["decision"] in ("adopt", "reject", "not enough evidence")
    taught = {fault["prompt"] for cluster in plan["taught"] for fault in cluster}
    held = {fault["prompt"] for cluster in plan["held"] for fault in cluster}
    assert taught
    assert held
    assert not taught & held
    assert plan["options"]["margins"] == {"harm": 0.1, "quality": 0.05, "said": 0.1, "level": 0.05}
    before = report["outcomes"][0]["proof"]["harm"][0]
    assert before > 0.5  # the twin's planted flaws are what was found
    registry = Registry([out / "models", BUILT_IN])
    assert all(registry.info(f"latent-flawed-{name}").purpose == "audit" for name in ("balanced", "edited", "sham"))
    page = (out / "report.html").read_text()
    assert page.count("<img") > 100
    assert "http" not in page.replace("http://www.w3.org", "")
    models = {path: path.read_bytes() for path in out.glob("models/*/adapter.safetensors")}
    again = salon(tmp_path, "mend", "demo", "--out", str(out), *FEW)
    assert {path: path.read_bytes() for path in models} == models
    same = json.loads(again.stdout)
    assert same["methods"] == told["methods"]
    other = salon(tmp_path, "mend", "demo", "--out", str(out), *FEW, "--seed", "1")
    assert other.returncode == 2
    assert "holds another mending" in other.stderr
