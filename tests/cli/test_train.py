"""`salon train` and `salon export`: without torch, with wrong settings, and a short real run."""

import json

import pytest


def test_without_torch_it_says_what_to_install(salon, environment, tmp_path):
    """A torch that cannot be imported stands in the way of the real one, as if the extra were not installed."""
    (tmp_path / "without").mkdir()
    missing = "raise ModuleNotFoundError('no torch', name='torch')"
    (tmp_path / "without" / "torch.py").write_text(missing)
    bare = environment | {"PYTHONPATH": str(tmp_path / "without")}
    training = ("train", "latent", "--data", "d", "--out", "o", "--minutes", "1")
    for command in (training, ("export", "--run", "r", "--out", "o")):
        done = salon(*command, env=bare)
        assert done.returncode == 2
        assert done.stderr == "salon: Training needs torch. Install it: pip install 'latent-salon[train]'.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("latent", "--data", "nowhere", "--minutes", "1"), "no training set in nowhere"),
        (("nothing", "--data", "nowhere", "--minutes", "1"), "no recipe 'nothing'"),
        (("latent", "--data", "nowhere", "--minutes", "1", "--set", "batch"), "names no value"),
        (("latent", "--data", "nowhere", "--minutes", "1", "--set", "nonsense=1"), "nonsense"),
        (("latent", "--recipe", "mine.toml", "--data", "nowhere", "--minutes", "1"), "mine.toml"),
    ],
)
def test_what_cannot_be_trained_is_said(salon, arguments, said):
    done = salon("train", *arguments, "--out", "run")
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.slow
def test_a_small_autoencoder_is_trained_and_goes_on(salon, tmp_path):
    salon("world", "build", "--out", "data", "--scenes", "24", "--size", "64", "--jobs", "1")
    arguments = ("train", "autoencoder", "--data", "data", "--out", "run", "--threads", "2", "--set", "batch=4")
    first = salon(*arguments, "--set", "images=8")
    assert first.returncode == 0, first.stderr
    assert first.stderr.endswith("Done.\n")
    second = salon(*arguments, "--set", "images=16")
    assert second.returncode == 0, second.stderr
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 4]
