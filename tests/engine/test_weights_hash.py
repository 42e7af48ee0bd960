"""Whatever changes an image without standing in its recipe must change the weights hash."""

import msgspec
import pytest

from salon.engine.models import ModelCard, NetworkFile, weights_hash

CARD = ModelCard(
    name="m", family="latent", licence="x", text_encoder="minilm", sample_shape=(8, 16, 16), prediction_type="flow",
    defaults={"num_inference_steps": 12}, networks={"transformer": NetworkFile("t.onnx", "0" * 64, 5)},
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"networks": {"transformer": NetworkFile("t.onnx", "1" * 64, 5)}},
        {"prediction_type": "sample"},
        {"schedule": {"shift": 2.0}},
        {"guidance": {"interval": [0.1, 0.9]}},
        {"guidance": {"percentile": 0.9}},
    ],
)
def test_what_changes_the_image_changes_the_hash(change):
    assert weights_hash(msgspec.structs.replace(CARD, **change), "a") != weights_hash(CARD, "a")


def test_another_text_encoder_is_another_model():
    assert weights_hash(CARD, "a") != weights_hash(CARD, "b")


@pytest.mark.parametrize("change", [{"licence": "y"}, {"defaults": {"num_inference_steps": 9}}, {"world": "w"}])
def test_what_a_recipe_says_or_nothing_shows_does_not(change):
    assert weights_hash(msgspec.structs.replace(CARD, **change), "a") == weights_hash(CARD, "a")
