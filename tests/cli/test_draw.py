"""`salon draw` and `salon models`, with a small real model."""

import json
import os
import resource
import shutil

import numpy as np
import pytest
from PIL import Image

from salon.core.png import read_recipe


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_images_are_written_in_order_with_their_recipes(salon, tmp_path):
    done = salon("draw", "a red fox, in the snow!", "--out", "foxes", "--count", "3", "--seed", "7", "--steps", "3")
    assert (done.returncode, done.stderr) == (0, "")
    paths = [tmp_path / line for line in done.stdout.splitlines()]
    recipes = [read_recipe(path.read_bytes()) for path in paths]
    assert [recipe.seed for recipe in recipes] == [7, 8, 9]
    assert {recipe.prompt for recipe in recipes} == {"a red fox, in the snow!"}
    assert {recipe.stages["diffusion"].num_inference_steps for recipe in recipes} == {3}
    assert [path.name for path in paths] == [f"a-red-fox-in-the-snow-{r.seed}-{r.id[:8]}.png" for r in recipes]
    assert sorted(paths) == sorted((tmp_path / "foxes").iterdir())
    assert not np.array_equal(pixels(paths[0]), pixels(paths[1]))


def test_the_same_command_is_the_same_images(salon, tmp_path):
    arguments = ("draw", "a cat", "--count", "2", "--seed", "1", "--steps", "2")
    first = salon(*arguments, "--out", "one").stdout.split()
    again = salon(*arguments, "--out", "two").stdout.split()
    for a, b in zip(first, again, strict=True):
        assert (tmp_path / a).read_bytes() == (tmp_path / b).read_bytes()


def test_twice_into_one_folder_writes_nothing_new(salon, tmp_path):
    arguments = ("draw", "a cat", "--count", "2", "--seed", "1", "--steps", "2", "--out", "here")
    first = salon(*arguments)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "here").iterdir()}
    assert salon(*arguments).stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "here").iterdir()} == times


@pytest.mark.parametrize("other", [b"my holiday picture", None])
def test_a_file_that_is_another_image_is_left_alone(salon, tmp_path, other):
    arguments = ("draw", "a cat", "--count", "2", "--steps", "2", "--out", "here")
    first, second = (tmp_path / line for line in salon(*arguments, "--seed", "1").stdout.split())
    if other is None:
        shutil.copy(first, second)
    else:
        second.write_bytes(other)
    before = second.read_bytes()
    done = salon(*arguments, "--seed", "1")
    assert done.returncode == 2
    assert "is another image" in done.stderr
    assert second.read_bytes() == before


def test_json_names_files_and_recipes(salon, tmp_path):
    done = salon("draw", "a cat", "--out", "here", "--count", "2", "--steps", "2", "--json", "--grid")
    answer = json.loads(done.stdout)
    for row in answer["images"]:
        assert read_recipe((tmp_path / row["file"]).read_bytes()).id == row["id"]
        assert row["recipe"]["seed"] == row["seed"]
    assert pixels(tmp_path / answer["grid"]).shape[1] == 2 * pixels(tmp_path / answer["images"][0]["file"]).shape[1]


def test_without_a_seed_every_drawing_is_another(salon):
    arguments = ("draw", "a cat", "--out", "here", "--count", "1", "--steps", "1")
    assert salon(*arguments).stdout != salon(*arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("",), "The prompt is empty."),
        (("  \n",), "The prompt is empty."),
        (("x" * 10_000,), "10000 characters"),
        (("a cat", "--model", "nope"), "No model named 'nope'"),
        (("a cat", "--guidance", "nan"), "guidance"),
        (("a cat", "--guidance", "-3"), "guidance"),
        (("a cat", "--sampler", "nope"), "sampler"),
        (("a cat", "--seed", "4294967295", "--count", "2"), "seed"),
        (("a cat", "--url", "http://127.0.0.1:1"), "cannot be reached"),
        (("a cat", "--url", "ftp://somewhere"), "not the address"),
    ],
)
def test_what_cannot_be_drawn_is_said(salon, tmp_path, arguments, said):
    done = salon("draw", *arguments, "--out", "here")
    assert done.returncode == 2
    assert done.stderr.startswith("salon: ")
    assert said in done.stderr
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("prompt", ["🦊 im Schnee", "ثعلب أحمر", "<b>fox</b>", "../../etc/passwd", "\x07fox", "…"])
def test_any_text_makes_a_sound_file_name(salon, tmp_path, prompt):
    done = salon("draw", prompt, "--out", "here", "--count", "1", "--steps", "1", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / done.stdout.strip()).parent == tmp_path / "here"
    assert len(list((tmp_path / "here").iterdir())) == 1


def test_a_full_disk_is_said_and_leaves_nothing_half_written(salon, tmp_path):
    arguments = ("draw", "a cat", "--out", "here", "--count", "1", "--steps", "1", "--seed", "1")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))  # noqa: E731 (for preexec_fn)
    done = salon(*arguments, preexec_fn=limit)
    assert done.returncode == 2
    assert "There is no room for" in done.stderr
    assert list((tmp_path / "here").iterdir()) == []
    assert salon(*arguments).returncode == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said(salon, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = salon("draw", "a cat", "--out", "locked/here", "--count", "1", "--steps", "1")
    assert (done.returncode, done.stderr.startswith("salon: Permission denied")) == (2, True)


def test_out_that_is_a_file_is_said(salon, tmp_path):
    (tmp_path / "here").write_text("a file")
    done = salon("draw", "a cat", "--out", "here", "--count", "1", "--steps", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("salon: ")


# --- models --------------------------------------------------------------------------------------------------------


def test_models_as_json(salon):
    rows = {row["name"]: row for row in json.loads(salon("models", "--json").stdout)}
    row = rows["a-tiny-one"]
    assert {"name", "family", "ready", "parameters", "licence", "weights_sha256"} <= set(row)
    assert (row["family"], row["ready"], row["licence"], row["problem"]) == ("latent", True, "Apache-2.0", "")
    assert len(row["weights_sha256"]) == 64
    assert row["parameters"] > 20_000_000  # the text encoder's are counted


def test_models_for_people(salon):
    assert any(line.startswith("a-tiny-one") and " ready " in line for line in salon("models").stdout.splitlines())


def test_a_damaged_model_is_listed_with_its_problem_and_refused(salon, environment, tiny, tmp_path):
    weights = shutil.copytree(tiny, tmp_path / "weights")
    file = weights / "a-tiny-one" / "decoder.onnx"
    file.write_bytes(file.read_bytes()[:-1])
    damaged = environment | {"SALON_WEIGHTS": str(weights)}
    row = {r["name"]: r for r in json.loads(salon("models", "--json", env=damaged).stdout)}["a-tiny-one"]
    assert row["ready"] is False
    assert "decoder.onnx" in row["problem"]
    assert "not ready" in salon("models", env=damaged).stdout
    done = salon("draw", "a cat", "--model", "a-tiny-one", "--out", "here", env=damaged)
    assert done.returncode == 2
    assert "decoder.onnx" in done.stderr


def test_the_rules_hold_on_the_command_line_and_have_a_switch(salon, tmp_path):
    """But the one about minors. Control: with the switch the other prompt is drawn."""
    draw = ("draw", "--count", "1", "--seed", "1", "--steps", "1", "--out", "out")
    refused = salon(*draw, "a nazi flag")
    assert refused.returncode == 2
    assert "signs of hatred" in refused.stderr
    assert salon(*draw, "a nazi flag", "--no-rules").returncode == 0
    for more in ((), ("--no-rules",), ("--no-rules", "--negative", "a nude girl")):
        done = salon(*draw, "a fox" if len(more) > 1 else "a n u d e girl", *more)
        assert done.returncode == 2
        assert "all ages" in done.stderr
    assert "rules of its own" in salon(*draw, "a fox", "--no-rules", "--url", "http://127.0.0.1:1").stderr


def test_what_changes_nothing_is_noted(salon):
    draw = ("draw", "--count", "2", "--seed", "1", "--steps", "1", "--out", "out")
    long = " ".join(["castle"] * 62) + " moat"
    done = salon(*draw, long, "--negative", "trees", "--guidance", "1")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "Note: The prompt is longer than the models can read. Not read: moat",
        "Note: The negative prompt does nothing at guidance 1. Only a guidance above 1 makes use of it.",
    ]
    assert salon(*draw, "a castle", "--negative", "trees", "--guidance", "2").stderr == ""


def test_scores_that_are_not_there_are_not_left_out_in_silence(monkeypatch, capsys, tmp_path):
    """Control: with a score nothing is noted."""
    from salon.cli import draw as command
    from salon.cli import parser
    from salon.core.recipe import Recipe

    recipe, image = Recipe(model="m", weights="0" * 64, prompt="a fox", seed=1, stages={}), Image.new("RGB", (8, 8))
    monkeypatch.setattr(command, "_drawn", lambda _: [(recipe, image)])
    arguments = parser().parse_args(["draw", "a fox", "--out", str(tmp_path), "--scores"])
    command.draw(arguments)
    assert "CLIP is not installed" in capsys.readouterr().err
    image.info["score"] = 0.5
    command.draw(arguments)
    assert capsys.readouterr().err == ""
