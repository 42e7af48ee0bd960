"""Weights as they are stored: what is lost is bounded, what the graph computes is what is read back."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from salon.train import storage


def matrix(seed: int, rows: int = 64, columns: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, columns)) * 10.0 ** rng.uniform(-6, 3, (rows, 1))).astype(np.float32)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_int8_loses_at_most_half_a_step_of_its_row(seed):
    weight = matrix(seed)
    kept = storage.rounded("transformer", weight)
    step = np.abs(weight).max(1, keepdims=True) / 127
    assert (np.abs(kept - weight) <= step * 0.501).all()
    np.testing.assert_allclose(storage.rounded("transformer", kept), kept, rtol=1e-6)


def test_rows_of_zeros_stay_zeros():
    weight = matrix(1)
    weight[3] = 0
    assert not storage.rounded("transformer", weight)[3].any()


def test_a_loud_row_leaves_the_others_alone():
    """Control: with one scale for the whole matrix the quiet rows are lost."""
    weight = np.ones((64, 96), np.float32)
    weight[0] = 1000
    np.testing.assert_allclose(storage.rounded("transformer", weight), weight, rtol=1e-6)
    scale = np.abs(weight).max() / 127
    assert not (np.rint(weight / scale) * scale)[1:].any()


@pytest.mark.parametrize(
    ("model", "array"),
    [
        ("transformer", np.ones((6, 256), np.float32)),
        ("transformer", np.ones(5000, np.float32)),
        ("upscaler", matrix(2)),
    ],
)
def test_small_things_and_other_networks_are_float16(model, array):
    assert not storage.is_int8(model, array)
    assert (storage.rounded(model, array) == array.astype(np.float16)).all()


def test_what_float16_cannot_hold_shows():
    assert np.isinf(storage.rounded("upscaler", np.full(3, 1e6, np.float32))).all()


@pytest.mark.parametrize(("model", "kind"), [("transformer", TensorProto.INT8), ("upscaler", TensorProto.FLOAT16)])
def test_the_graph_computes_with_what_is_read_back(model, kind):
    weight = matrix(5)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["B", 96])],
        [numpy_helper.from_array(weight, "w")],
    )
    storage.store(graph, {"w"}, model)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(proto, full_check=True)
    assert {item.name: item.data_type for item in graph.initializer}["w"] == kind
    back = storage.read(graph, {"w", "elsewhere"})
    assert set(back) == {"w"}
    np.testing.assert_array_equal(back["w"], storage.rounded(model, weight))
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"x": x})[0], x @ back["w"], rtol=1e-4, atol=1e-2)
