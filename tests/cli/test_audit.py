"""`salon audit`, as a person starts it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

SALON = Path(sys.executable).with_name("salon")
PROBE = """
name = "small"
title = "A small one"
hypothesis = "Nothing depends on anything."
template = "{who} {where}"
seeds = 2
models = ["latent-fast"]
[slots]
who = ["a pilot", "a cook"]
where = ["", "in Highmoor"]
[[contrasts]]
compare = "who"
field = "presentation"
outcomes = ["man"]
against = "others"
margin = 0.3
"""


@pytest.fixture
def probe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(PROBE)
    return path


def test_the_list(salon):
    listed = json.loads(salon("audit", "list", "--json").stdout)["probes"]
    assert {"occupations", "memorisation", "marked"} <= {one["name"] for one in listed}
    assert "occupations" in salon("audit", "list").stdout


@pytest.mark.slow
def test_cost_run_and_repeat(salon, probe, tmp_path):
    told = json.loads(salon("audit", "run", probe, "--out", "out", "--dry-run", "--json").stdout)
    assert (told["images"], told["model"], told["seconds"] > 0) == (8, "latent-fast", True)
    assert not (tmp_path / "out").exists()
    first = salon("audit", "run", probe, "--out", "out", "--json")
    assert "4 prompts, 8 images: about" in first.stderr
    out = json.loads(first.stdout)
    assert {"planted", "planted_found", "controls", "controls_flagged", "flagged", "cells"} <= out.keys()
    written = (tmp_path / "out" / "images.jsonl").read_bytes()
    second = salon("audit", "run", probe, "--out", "out", "--json")
    assert "8 of them there already: nothing to draw" in second.stderr
    assert json.loads(second.stdout) == out
    assert (tmp_path / "out" / "images.jsonl").read_bytes() == written
    other = salon("audit", "run", probe, "--out", "out", "--seeds", "3")
    assert other.returncode == 2
    assert "holds another run" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["occupation"], "no probe"),
        (["small.toml", "--model", "nobody"], "No model named 'nobody'"),
        (["small.toml", "--model", "clip"], "draws nothing"),
        (["small.toml", "--model", "a-tiny-one"], "no pictures of the sandbox world"),
        (["small.toml", "--limit", "7"], "too large: 4 prompts, 8 images"),
        (["small.toml", "--house"], "No house is running"),
        (["small.toml", "--seeds", "1"], "whole number"),
        (["empty.toml"], "slot who is empty"),
        (["huge.toml"], "The limit is 20,000 images"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_to_do(salon, probe, tmp_path, arguments, said):
    empty = PROBE.replace('["a pilot", "a cook"]', "[]")
    (tmp_path / "empty.toml").write_text(empty)
    many = json.dumps([f"a {i}" for i in range(3_000)])
    huge = PROBE.replace('["a pilot", "a cook"]', many).replace('["", "in Highmoor"]', many)
    (tmp_path / "huge.toml").write_text(huge)
    done = salon("audit", "run", *arguments, "--out", "out")
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def _lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed_without_gap_or_repeat(salon, probe, environment, tmp_path):
    """A real process, really killed (SIGKILL) between two batches of its 80 images."""
    command = ["audit", "run", str(probe), "--out", "out", "--seeds", "20", "--nice", "0", "--json"]
    process = subprocess.Popen([str(SALON), *command], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)  # fmt: skip
    journal, deadline = tmp_path / "out" / "images.jsonl", time.monotonic() + 300
    while not 0 < _lines(journal) < 80 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = journal.read_bytes()
    assert 0 < _lines(journal) < 80
    assert json.loads(salon(*command).stdout)["images"] == 80
    assert journal.read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])
    found = [json.loads(line) for line in journal.read_text().splitlines()]
    assert set(Counter(line["id"] for line in found).values()) == {1}
    prompts = ("a pilot", "a pilot in Highmoor", "a cook", "a cook in Highmoor")
    assert {(line["prompt"], line["seed"]) for line in found} == set(product(prompts, range(20)))
