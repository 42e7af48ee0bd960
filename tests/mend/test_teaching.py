"""Lessons as processes of their own: two side by side, one that fails takes nothing down, none outlives who ended
it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from salon.mend import lessons as painted
from salon.mend.splitting import Fault, MendError
from salon.mend.teaching import Lesson, command, done, teach

BASE = Path(__file__).parents[2] / "src" / "salon" / "weights" / "latent"
LOG = "import json,sys; open(sys.argv[1] + '/log.jsonl', 'a').write(json.dumps({'images': 8, 'seconds': 60}) + '\\n')"


def lesson(folder, name):
    return Lesson(name, [folder], folder / name)


def test_what_one_says_last_is_why_it_stopped_and_the_other_goes_on(tmp_path):
    both, heard = [lesson(tmp_path, "good"), lesson(tmp_path, "bad")], []
    bad = "import sys; print('The loss is no longer a number.', file=sys.stderr); sys.exit(2)"
    words = [[sys.executable, "-c", LOG, str(both[0].run)], [sys.executable, "-c", bad]]
    good, stopped = teach(both, words, 8, lambda name, share: heard.append((name, share)))
    assert (good.stopped, stopped.stopped) == ("", "The loss is no longer a number.")
    assert done(good.run) == 8
    assert {name for name, _ in heard} <= {"good", "bad"}


def test_a_lesson_that_still_runs_is_not_started_twice(tmp_path):
    one = lesson(tmp_path, "one")
    one.run.mkdir()
    # who held the first was killed: the lesson lives on, and its lock with it
    script = (
        "import sys; from pathlib import Path; from salon.mend.teaching import _start; "
        f"print(_start(Path(sys.argv[1]), [{sys.executable!r}, '-c', 'import time; time.sleep(600)']).pid)"
    )
    pid = int(subprocess.run([sys.executable, "-c", script, str(one.run)], capture_output=True, check=True).stdout)
    try:
        with pytest.raises(MendError, match="still runs"):
            teach([one], [[sys.executable, "-c", "pass"]], 8, lambda *_: None)
    finally:
        subprocess.run(["kill", "-9", str(pid)], check=True)
    while Path(f"/proc/{pid}").exists():  # it is init's to reap, or nobody's
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            break
        time.sleep(0.05)
    assert teach([one], [[sys.executable, "-c", "pass"]], 8, lambda *_: None)[0].stopped == ""


def test_whoever_is_stopped_stops_its_lessons(tmp_path):
    one, seen = lesson(tmp_path, "one"), []

    def interrupted(name, share):
        seen.append(name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach([one], [[sys.executable, "-c", "import time; time.sleep(600)"]], 8, interrupted)
    teach([one], [[sys.executable, "-c", "pass"]], 8, lambda *_: None)  # its lock is free: it has ended


@pytest.mark.slow
def test_a_diverging_lesson_stops_and_says_so(tmp_path):
    fault = Fault("a", "a pilot in Sundale", "presentation", "man")
    painted.balanced(tmp_path / "data", [fault], 72)
    wild = Lesson("wild", [tmp_path / "data"], tmp_path / "wild")
    words = command(wild, BASE, BASE.with_name("latent-flawed"), 72, 2, {"lr": 1e9, "warmup": 1, "adapter_rank": 16})
    assert "no longer a number" in teach([wild], [words], 72, lambda *_: None)[0].stopped
    tame = Lesson("tame", [tmp_path / "data"], tmp_path / "tame")
    words = command(tame, BASE, BASE.with_name("latent-flawed"), 24, 2, {"warmup": 1, "adapter_rank": 16})
    assert teach([tame], [words], 24, lambda *_: None)[0].stopped == ""  # control
    assert json.loads((tame.run / "log.jsonl").read_text().splitlines()[-1])["images"] == 24
