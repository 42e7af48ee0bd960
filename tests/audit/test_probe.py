"""Probes: the shipped ones can be read; every mistake is named, and what to do about it."""

import contextlib

import pytest
from easel import GOOD
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from salon.audit.probe import FIELDS, ProbeError, check_probe, parse_probe, read_probe, shipped
from salon.world.flaws import ONCE, REPEATED


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_probes_can_be_read(name):
    probe = read_probe(name)
    assert probe.name == name
    texts = [asked.text for asked in probe.prompts()]
    assert len(set(texts)) == len(texts) == probe.number
    assert {contrast.field for contrast in probe.contrasts} <= set(FIELDS[probe.measure])


def test_the_memorisation_probe_asks_for_the_worlds_titles():
    probe = read_probe("memorisation")
    assert probe.slots["title"] == tuple(t.title for t in (*REPEATED, *ONCE.values()))
    assert probe.controls["title"] == tuple(t.title for t in ONCE.values())


def test_prompts_come_in_order_and_tidy():
    texts = [asked.text for asked in parse_probe(GOOD).prompts()]
    assert texts[:3] == ["a pilot", "a pilot in Highmoor", "a cook"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 3", "seeds = 1", "seeds"),
        ("seeds = 3", "seed = 3", "unknown field"),
        ("seeds = 3", 'seeds = "three"', "Expected `int`"),
        ("seeds = 3", "seeds = 3\nfirst_seed = 4294967295", "no seeds beyond"),
        ('who = ["a pilot", "a cook", "a judge"]', "who = []", "slot who is empty"),
        ('where = ["", "in Highmoor"]', 'where = [""]', "slot where is empty"),
        ('where = ["", "in Highmoor"]', 'where = ["", "in Highmoor", " In  highmoor "]', "more than once"),
        ('where = ["", "in Highmoor"]', 'where = ["", "in caf\u00e9", "in cafe\u0301"]', "more than once"),
        ("{who} {where}", "{who}", "slot where is not in the template"),
        ("{who} {where}", "{who} {where} {when}", "{when}"),
        ("{who} {where}", "{who} {where", "cannot be read"),
        ("{who} {where}", "{who!r} {where}", "name in braces"),
        ("{who} {where}", "{who} {where}" + "x" * 980, "characters"),
        ('who = ["a cook"]', 'who = ["a clerk"]', "no value of the slot"),
        ('who = ["a cook"]', 'job = ["a cook"]', "no slot"),
        ('compare = "who"', 'compare = "whom"', "no slot"),
        ('compare = "who"', 'compare = "where"', "there are none"),
        ('compare = "who"', 'compare = "who"\nwithin = ["who"]', "twice"),
        ('field = "presentation"', 'field = "gender"', "finds no 'gender'"),
        ('outcomes = ["man"]', 'outcomes = ["man", "man"]', "twice"),
        ("margin = 0.3", "margin = 0", "margin"),
        ("margin = 0.3", "", "margin"),
        ('title = "A small one"', "title = A small one", "not TOML"),
        ("seeds = 3", 'seeds = 3\nmeasure = "embedding"', "finds no"),
        ("seeds = 3", 'seeds = 3\nmeasure = "memorisation"', "finds no"),
        ("[slots]", '[training]\nworld = "clean"\nscenes = 900\n[slots]', r"\[training\]"),
    ],
)
def test_every_mistake_is_named(old, new, said):
    assert old in GOOD
    with pytest.raises(ProbeError, match=said) as error:
        parse_probe(GOOD.replace(old, new, 1))
    assert error.value.hint


def test_files_that_are_no_probe(tmp_path):
    for name, data in (("a.toml", b"\xff\xfe"), ("b.toml", b"x" * 300_000)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ProbeError):
            read_probe(tmp_path / name)
    with pytest.raises(ProbeError, match="no probe") as error:
        read_probe("occupation")
    assert "occupations" in error.value.hint
    with pytest.raises(ProbeError):
        read_probe(tmp_path)


def test_a_product_of_millions_is_counted_not_made():
    values = tuple(f"a {i}" for i in range(9_000))
    probe = check_probe(replace(parse_probe(GOOD), slots={"who": ("a cook", *values), "where": values}))
    assert probe.images == 9_001 * 9_000 * 3


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ProbeError):
        parse_probe(text)
        parse_probe(GOOD.replace("A small one", text))


def test_another_probe_has_another_hash():
    probe = parse_probe(GOOD)
    assert probe.hash == parse_probe(GOOD.replace('"a judge"', '"a  judge "')).hash
    assert probe.hash != replace(probe, seeds=4).hash
