"""Content hashes: one name for one content, on every machine."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core.errors import BadRecipe, SalonError
from salon.core.hashing import bytes_hash, canonical, content_hash, file_hash

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcd", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def test_known_hashes():
    assert content_hash({"b": [1, None], "a": "é"}) == hashlib.sha256('{"a":"é","b":[1,null]}'.encode()).hexdigest()
    assert bytes_hash(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(values)
def test_canonical_is_the_same_json_with_sorted_keys(value):
    """Against the standard library's encoder, as an independent judge."""
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(canonical(value)) == value
    assert json.dumps(json.loads(canonical(value)), separators=(",", ":"), ensure_ascii=False) == expected


@given(st.dictionaries(st.text("abcd", max_size=3), values, max_size=5))
def test_the_order_of_keys_does_not_matter(table):
    assert content_hash(table) == content_hash(dict(reversed(table.items())))


def test_a_file_is_named_by_its_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc" * 100_000)
    assert file_hash(path) == bytes_hash(b"abc" * 100_000)
    with pytest.raises(FileNotFoundError):
        file_hash(tmp_path / "missing")


def subclasses(cls: type) -> list[type]:
    return [cls, *(found for sub in cls.__subclasses__() for found in subclasses(sub))]


def test_errors_say_what_happened_and_what_to_do():
    error = BadRecipe("It is too long.", "Say it more briefly.")
    assert str(error) == "It is too long. Say it more briefly."
    assert str(SalonError("Only this.")) == "Only this."
    codes = [cls.code for cls in subclasses(SalonError) if cls.__module__ == "salon.core.errors"]
    assert len(set(codes)) == len(codes)
