"""How the models read words, told again in plain Python, against the tokenizer itself."""

import lzma
import random
import unicodedata

import pytest
from tokenizers import Tokenizer

from salon.core import reading
from salon.core.errors import WeightsDamaged, WeightsMissing
from salon.core.reading import most_pieces, pieces, unread
from salon.core.text import as_read, folded
from salon.engine.text import FOLDER, TextEncoder
from salon.world.captions import captions
from salon.world.scene import sample_scene

#: letters that were added to Unicode after the tokenizer's tables or after Python's: one of the two does not know them
YOUNG = 500


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_buffer(lzma.decompress((FOLDER / "tokenizer.json.xz").read_bytes()))


def test_every_letter_is_read_as_the_tokenizer_reads_it(tokenizer):
    """Between two others, all 1.1 million of them. Control: read as a person reads them, thousands differ."""
    normal, other, folds = tokenizer.normalizer.normalize_str, [], 0
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            text = f"x{chr(code)}y"
            said = normal(text)
            if said != as_read(text):
                other.append(chr(code))
            folds += code < 0x3000 and said != folded(text)
    assert len(other) < YOUNG
    assert {unicodedata.category(c) for c in other} <= {"Mn", "Mc", "Cf", "Cn", "Lu", "Ll"}
    assert not any(c < "\u07fd" for c in other)
    assert folds > 1_000


def test_pieces_are_the_tokenizers(tokenizer):
    chance = random.Random(0)
    places = [(32, 0x250), (0x370, 0x500), (0x3041, 0x9000), (0x1F300, 0x1F700), (32, 48)]
    texts = [text for seed in range(60) for text in captions(sample_scene(seed), 4)]
    texts += ["".join(chr(chance.randrange(*chance.choice(places))) for _ in range(40)) for _ in range(1500)]
    texts = [text for text in texts if not any(unicodedata.category(c) == "Cn" for c in text)]
    texts += ["", " ", "x" * 101, "naïve café—東京 🦊", "can't_do 3.5%", "a\u2028b\u00a0c\x1fd"]
    for text in texts:
        assert pieces(text) == tokenizer.encode(text, add_special_tokens=False).tokens, ascii(text)


def test_the_words_that_are_not_read_are_those_the_encoder_cuts(tokenizer):
    encoder = TextEncoder()
    assert most_pieces() == encoder.max_tokens - 2
    long = " ".join(f"word{n}" for n in range(40))
    read = " ".join(long.split()[: -len(unread(long))])
    assert encoder.tokens([read]).truncated == [False]
    assert encoder.tokens([f"{read} {unread(long)[0]}"]).truncated == [True]
    assert encoder.words(read)[:-1] == encoder.words(long)[: len(encoder.words(read)) - 1]
    short = "castle " * 62
    assert unread(short) == []
    assert unread(f"{short} moat") == ["moat"]


@pytest.mark.parametrize(("data", "error"), [(None, WeightsMissing), (b"no", WeightsDamaged)])
def test_without_its_vocabulary_nothing_is_judged(monkeypatch, tmp_path, data, error):
    """It fails closed. Control: with it, the same call answers."""
    assert pieces("a fox") == ["a", "fox"]
    if data:
        (tmp_path / "tokenizer.json.xz").write_bytes(data)
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    reading.vocabulary.cache_clear()
    with pytest.raises(error, match="tokenizer"):
        pieces("a fox")
    monkeypatch.undo()
    reading.vocabulary.cache_clear()
