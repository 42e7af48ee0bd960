"""`salon mail` at the command line: what is set up, and a letter to try it."""

import os
import subprocess
import sys


def salon(home, *words, **environment):
    whole = {**os.environ, "SALON_HOME": str(home), "DATABASE_URL": "", **environment}
    return subprocess.run([sys.executable, "-m", "salon", "mail", *words], env=whole, capture_output=True, text=True)


def test_it_says_how_letters_leave_and_why_one_did_not(tmp_path):
    said = salon(tmp_path, "--send")
    assert said.returncode == 0, said.stderr
    assert f"{tmp_path}/mail" in said.stdout
    assert "Letters that left: 0" in said.stdout
    closed = salon(tmp_path, "--try", "ada@example.org", SALON_EMAIL="smtp://127.0.0.1:9")
    assert closed.returncode == 2
    assert "The letter did not go" in closed.stderr
    assert "SALON_EMAIL" in closed.stderr
