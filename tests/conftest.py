"""The same examples in every run, and no clock: this machine may be busy."""

from hypothesis import settings

settings.register_profile("salon", derandomize=True, deadline=None)
settings.load_profile("salon")
