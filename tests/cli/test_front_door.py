"""Help, version, and how the command ends when something is wrong."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

COMMANDS = [
    (), ("run",), ("draw",), ("models",), ("train",), ("export",),
    ("world",), ("world", "sheet"), ("world", "build"), ("world", "words"), ("world", "hash"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(salon, command):
    done = salon(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: salon {' '.join(command)}".rstrip())
    undocumented = re.findall(r"^ +(--\w+)(?: [A-Z{][\w,}]*)?$(?!\n {10})", done.stdout, re.MULTILINE)
    assert not undocumented


def test_version(salon):
    assert re.fullmatch(r"latent-salon \d+\.\d+\.\d+\n", salon("--version").stdout)


def test_the_module_is_the_command(environment):
    done = subprocess.run([sys.executable, "-m", "salon", "--version"], capture_output=True, text=True, env=environment)
    assert done.stdout.startswith("latent-salon ")


@pytest.mark.parametrize(
    "arguments",
    [(), ("paint",), ("draw",), ("draw", "a cat"), ("run", "--port", "eighty"), ("run", "--port", "70000"),
     ("draw", "a cat", "--out", "x", "--count", "0"), ("draw", "a cat", "--out", "x", "--seed", "-1"),
     ("draw", "a cat", "--out", "x", "--seed", "4294967296"), ("draw", "a cat", "--out", "x", "--seed", "1.5"),
     ("world", "build", "--out", "x", "--scenes", "0"), ("world", "sheet", "--out", "x.png", "--size", "9999"),
     ("world", "sheet", "--out", "x.png", "--split", "test")],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_line_is_pointed_out(salon, arguments):
    done = salon(*arguments)
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert done.stdout == ""


def test_help_needs_no_heavy_import(environment):
    """What makes `salon --help` answer at once: nothing heavy is imported for it."""
    code = "import sys, salon.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment).stdout.split()
    assert "msgspec" in found
    assert not {"numpy", "PIL", "django", "onnxruntime", "zmq", "torch", "scipy"} & set(found)


def test_a_reader_who_leaves_hears_nothing_more(salon, environment):
    """`salon world words | head -1`: quiet, though the pipe broke."""
    reader, writer = os.pipe()
    os.close(reader)
    done = salon("world", "words", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1


def test_ctrl_c_is_quiet(environment, tmp_path):
    arguments = ["world", "build", "--out", "data", "--scenes", "100000", "--size", "16", "--jobs", "1"]
    # A test run started in the background has the signal switched off, and its children would inherit that.
    process = subprocess.Popen([sys.executable, "-m", "salon", *arguments], cwd=tmp_path, env=environment, text=True,
                               stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    while not (tmp_path / "data").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_an_error_of_ours_is_a_sentence_and_debugging_shows_it(environment):
    """Whatever breaks inside, a person reads a sentence; SALON_DEBUG=1 shows the traceback."""
    code = """
import sys, argparse
from salon import cli
def boom(arguments): raise ZeroDivisionError("inside")
cli.world.words = boom
cli.world.add_to.__globals__["words"] = boom
sys.exit(cli.main(["world", "words"]))
"""

    def run(**extra):
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, env=environment | extra)

    quiet, loud = run(), run(SALON_DEBUG="1")
    assert quiet.returncode == 1
    assert quiet.stderr.startswith("salon: This should not have happened (ZeroDivisionError: inside)")
    assert "Traceback" in loud.stderr
