"""What each door of the engine loads: the client is light, and nothing loads torch."""

import subprocess
import sys

import pytest


def loaded(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


@pytest.mark.parametrize("module", ["service", "drawing", "registry", "families", "client"])
def test_the_engine_never_loads_torch(module):
    assert "torch" not in loaded(f"import salon.engine.{module}")


def test_the_client_loads_no_runtime_and_salon_nothing_at_all():
    assert not {"onnxruntime", "onnx", "tokenizers"} & loaded("import salon.engine.client")
    assert "salon.engine" not in loaded("import salon")
    assert "onnxruntime" in loaded("from salon import Salon; Salon().models()")
