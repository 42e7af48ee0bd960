"""Tests of this folder share `easel.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
