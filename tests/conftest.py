"""The same examples in every run, and no clock: this machine may be busy. Houses that tests open share the graphs that
are made of weights at first start; that they are made, and mended when damaged, is tried in tests/engine."""

import os
import sys
from pathlib import Path

from hypothesis import settings

from salon.engine.files import cache_folder

settings.register_profile("salon", derandomize=True, deadline=None)
settings.load_profile("salon")

sys.path.insert(0, str(Path(__file__).parent))  # what several folders of tests share

os.environ.setdefault("SALON_GRAPHS", str(cache_folder().absolute()))
