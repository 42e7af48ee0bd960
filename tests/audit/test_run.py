"""Runs: cost first, one at a time, resumed without gap or repeat, refused where they would mix."""

import json
from pathlib import Path

import numpy as np
import pytest
from easel import INFO, SMALL, Easel, run
from msgspec.structs import replace

from salon.audit.eyes import eye_for
from salon.audit.folder import Folder, FolderError, Look
from salon.audit.painter import Painter, batches
from salon.audit.probe import ProbeError
from salon.audit.run import Cost, afford, spoken
from salon.core.errors import Conflict, UnknownModel, WeightsDamaged
from salon.core.recipe import Request
from salon.core.update import Failed, Finished, RefusedUpdate


def lines(out):
    return [json.loads(line) for line in (out / "images.jsonl").read_text().splitlines()]


def test_a_run_writes_everything_and_its_repeat_draws_nothing(tmp_path):
    said = []
    report = run(tmp_path / "out", say=said.append)
    assert said[0] == "6 prompts, 18 images: about 9 s."
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"report.html", "report.json", "cells.csv", "images.jsonl"}
    assert len(lines(tmp_path / "out")) == 18 == report.images
    again = Easel()
    repeat = run(tmp_path / "out", again)
    assert not again.drawn
    assert repeat.cells == report.cells
    assert len(lines(tmp_path / "out")) == 18


def test_a_baseline_is_drawn_too_at_the_same_seeds(tmp_path):
    probe = replace(SMALL, baseline="clean")
    assert run(tmp_path / "a", probe=probe).images == 36
    own = Easel()
    own.of = lambda model: Easel()
    report = run(tmp_path / "b", own, probe=probe)
    assert report.baseline_first_seed == 3  # its own baseline: the next seeds
    assert "set against itself" in (tmp_path / "b" / "report.html").read_text()


def test_what_was_refused_is_counted_and_shown(tmp_path):
    report = run(tmp_path / "out", Easel(refuses="judge"))
    assert report.outcomes == {"drawn": 12, "withheld": 0, "refused": 6}
    judge = next(cell for cell in report.cells if cell.name == "a judge")
    assert judge.counts == {"refused": 6}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "6 images were withheld or refused" in page
    assert 'class="gone"' in page


def test_a_stopped_run_goes_on_from_the_last_whole_batch(tmp_path):
    out, probe = tmp_path / "out", replace(SMALL, seeds=20)
    with pytest.raises(KeyboardInterrupt):
        run(out, Easel(most=70), probe)
    kept = {line["id"] for line in lines(out)}
    assert len(kept) == 64
    with (out / "images.jsonl").open("ab") as file:
        file.write(b'{"id": "cut o')  # as a kill in the middle of a line leaves it
    second = Easel()
    run(out, second, probe)
    assert len(second.drawn) == 120 - 64
    assert not kept & set(second.drawn)
    names = [line["id"] for line in lines(out)]
    assert len(names) == len(set(names)) == 120


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probe": replace(SMALL, seeds=4)}, "its probe is"),
        ({"easel": Easel(replace(INFO, weights_sha256="2" * 64))}, "its weights is"),
        ({"easel": Easel(replace(INFO, name="other"))}, "its model is"),
    ],
)
def test_another_run_is_never_mixed_in(tmp_path, change, said):
    run(tmp_path / "out")
    with pytest.raises(FolderError, match=said) as error:
        run(tmp_path / "out", **change)
    assert "new folder" in error.value.hint


def test_folders_that_hold_something_else(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(FolderError, match=r"holiday\.jpg"):
        run(tmp_path)
    run(tmp_path / "out")
    path = tmp_path / "out" / "images.jsonl"
    path.write_text(path.read_text().replace('"seed"', '"sead"', 1))
    with pytest.raises(FolderError, match="Line 1"):
        run(tmp_path / "out")
    (tmp_path / "out" / "run.json").write_text("[")
    with pytest.raises(FolderError, match="cannot be read"):
        run(tmp_path / "out")


def test_two_processes_never_share_a_folder(tmp_path):
    with Folder(tmp_path / "out", {"a": 1}), pytest.raises(Conflict, match="Another process"):
        Folder(tmp_path / "out", {"a": 1})
    with Folder(tmp_path / "out", {"a": 1}):
        pass  # the lock is gone with its holder


def test_without_the_line_on_the_disk_an_image_would_be_drawn_twice(tmp_path):
    """The negative control of the journal: looks that were never written are not known again."""
    look = Look(id="x", model="m", prompt="p", seed=1, outcome="drawn")
    with Folder(tmp_path / "out", {}) as folder:
        folder.looks["x"] = look
    with Folder(tmp_path / "out", {}) as folder:
        assert not folder.looks
        folder.add([(look, None)])
    with Folder(tmp_path / "out", {}) as folder:
        assert folder.looks == {"x": look}


def test_too_large_a_probe_is_refused_with_its_cost():
    values = tuple(f"a {i}" for i in range(5_000))
    huge = replace(SMALL, slots={"who": ("a cook", *values), "where": values})
    easel = Easel()
    with pytest.raises(ProbeError, match=r"75,015,000 images: about 434 days\. The limit is 20,000"):
        run(Path("never"), easel, huge)
    assert not easel.drawn
    assert not Path("never").exists()
    with pytest.raises(ProbeError, match="The limit is 17 images"):
        run(Path("never"), easel, limit=17)
    afford(Cost(1, 18, 18, 9.0), 18)


def test_two_values_that_make_one_prompt_are_refused(tmp_path):
    slots = {"who": ("a cook", "a cook in"), "where": ("in Highmoor", "Highmoor", "x")}
    probe = replace(SMALL, slots=slots, contrasts=(replace(SMALL.contrasts[0], against="others"),), controls={})
    with pytest.raises(ProbeError, match="same prompt"):
        run(tmp_path / "out", probe=probe)


def test_times_are_said_as_people_say_them():
    assert [spoken(s) for s in (0, 59, 130, 8_000, 900_000)] == ["1 s", "59 s", "2 minutes", "2 hours", "10 days"]
    assert Cost(1, 2, 0, 0.0).said() == "1 prompts, 2 images, 2 of them there already: nothing to draw."


class Line:
    """An engine that answers requests with what it was given to say."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def models(self):
        return [INFO, replace(INFO, name="broken", ready=False, problem="gone")]

    def submit(self, request: Request):
        self.asked.append(request)

    def updates(self):
        return [self.answer(request) for request in self.asked]


def test_a_house_is_asked_behind_its_visitors_and_its_filter_is_an_outcome():
    picture = {"width": 2, "height": 2, "rgb": bytes(12)}

    def answer(request):
        from salon.core.update import Picture

        images = tuple(Picture(index=i, **picture) for i in range(len(request.recipes)) if i != 1)
        return Finished(request=request.id, images=images, seconds=1.0, withheld=(1,))

    line = Line(answer)
    painter = Painter("still", {}, line)
    drawn = list(painter.draw([painter.recipe(text, 1) for text in ("a cat", "a cook", "hardcore porn")]))
    assert [one.outcome for one in drawn] == ["drawn", "withheld", "refused"]
    assert [request.audience for request in line.asked] == ["background"]
    assert len(line.asked[0].recipes) == 2  # what the house's rules refuse is never asked for


def test_a_refusal_is_an_outcome_and_a_failure_is_an_error():
    refused = Painter("still", {}, Line(lambda r: RefusedUpdate(request=r.id, code="refused", why="No.")))
    assert [one.outcome for one in refused.draw([refused.recipe("a cat", 1)])] == ["refused"]
    failed = Painter("still", {}, Line(lambda r: Failed(request=r.id, code="weights_damaged", why="Broken.")))
    with pytest.raises(WeightsDamaged, match="Broken"):
        list(failed.draw([failed.recipe("a cat", 1)]))


def test_models_that_cannot_be_asked():
    with pytest.raises(UnknownModel, match="nobody"):
        Painter("nobody", {}, Line(None))
    with pytest.raises(WeightsDamaged, match="gone"):
        Painter("broken", {}, Line(None))
    with pytest.raises(ProbeError, match="no pictures of the sandbox world"):
        eye_for(SMALL, replace(INFO, world=""))


def test_batches_hold_every_recipe_once():
    some = list(np.arange(75))
    assert [len(batch) for batch in batches(some)] == [32, 32, 11]
    assert [one for batch in batches(some) for one in batch] == some
    assert list(batches([])) == []
