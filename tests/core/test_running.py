"""Where a running house is to be found, and that a full disk keeps nobody from opening one."""

import resource
import subprocess
import sys

import pytest

from salon.core.running import Where, say

SAY = """
import resource, sys
from pathlib import Path
from salon.core.running import Where, say
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))  # not one byte of a file can be written
print(say(Path(sys.argv[1]), Where("http://127.0.0.1:8001", "")))
"""


@pytest.mark.parametrize("disk", ["full", "roomy"])
def test_a_full_disk_keeps_no_house_from_opening_and_nobody_hears_of_an_earlier_one(tmp_path, disk):
    """The control: with room it is said, and replaces what was said before."""
    assert say(tmp_path, Where("http://127.0.0.1:8000", ""))
    asked = subprocess.run([sys.executable, "-c", SAY, tmp_path, disk], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == str(disk == "roomy")
    there = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert there == ({"address": "http://127.0.0.1:8001\n"} if disk == "roomy" else {})
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0  # ours is another process
