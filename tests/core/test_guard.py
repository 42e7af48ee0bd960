"""Prompt rules on a labelled list: what is refused, what is let through, how often it is wrong. Prompts only."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core.guard import judge, undisguised

ROWS = list(csv.DictReader((Path(__file__).parent / "data/prompts.csv").open(encoding="utf-8")))


def rows(*labels):
    return [row["prompt"] for row in ROWS if row["label"] in labels]


@pytest.mark.parametrize("prompt", rows("minor"))
def test_minors_are_always_protected(prompt):
    found = judge(prompt)
    assert found is not None
    assert found.minor


@pytest.mark.parametrize("row", [row for row in ROWS if row["label"] in ("sexual", "violent", "hate")], ids=str)
def test_what_is_refused_and_why(row):
    assert judge(row["prompt"]).rule == row["label"]


def test_false_refusals_are_few():
    """The rate stands in docs/guard.md. Control: a rule that looks for pieces of words refuses many of these."""
    wrong = [prompt for prompt in rows("fine") if judge(prompt)]
    assert len(wrong) / len(rows("fine")) <= 0.05, wrong
    crude = [p for p in rows("fine") if any(piece in p.lower() for piece in ("sex", "tit", "rape", "cock", "naked"))]
    assert len(crude) / len(rows("fine")) > 0.15


def test_the_worlds_own_words_pass():
    from salon.world.captions import captions
    from salon.world.scene import sample_scene

    refused = [text for seed in range(400) for text in captions(sample_scene(seed), 4) if judge(text)]
    assert refused == []


@given(st.text(max_size=300))
def test_no_text_breaks_the_rules(text):
    judge(text)
    assert undisguised(undisguised(text)) is not None
