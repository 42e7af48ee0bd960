"""Several processes train as one: gradients are averaged, everyone stops together, the leader alone writes."""

import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from salon.train.weights import load_net

AVERAGE = """
import json, sys, torch
from salon.train.loop import Crew
crew = Crew()
net = torch.nn.Linear(3, 2)
for i, parameter in enumerate(net.parameters()):
    parameter.grad = torch.full_like(parameter, float(crew.rank * 2 + i))
progress, stop = crew.agree(net, 0.25 + crew.rank, crew.rank == 1)
print(json.dumps([crew.rank, progress, stop, *(float(p.grad.mean()) for p in net.parameters())]))
crew.part()
"""


def together(*command: str) -> list[str]:
    """Run a command as a crew of two on this machine; what each printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    crew = [
        subprocess.Popen(
            command, env=shared | {"RANK": str(rank), "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in crew]
    assert [process.returncode for process in crew] == [0, 0]
    return said


@pytest.mark.slow
def test_gradients_are_averaged_and_all_stop_when_one_does():
    said = sorted(json.loads(line) for line in together(sys.executable, "-c", AVERAGE))
    assert said == [[0, 0.25, True, 1.0, 2.0], [1, 0.25, True, 1.0, 2.0]]


@pytest.mark.slow
def test_a_crew_trains_and_the_leader_writes(data, tmp_path):
    out = tmp_path / "run"
    arguments = ["autoencoder", "--data", str(data), "--out", str(out), "--minutes", "5", "--set", "images=64",
                 "--set", "batch=4", "--set", "encoder_width=8", "--set", "decoder_width=8"]  # fmt: skip
    together(sys.executable, "-m", "salon.train", *arguments)
    last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
    assert (last["images"], last["step"]) == (64, 8)
    assert all(torch.isfinite(p).all() for p in load_net(out, "autoencoder").parameters())
