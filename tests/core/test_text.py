"""What is kept of typed text, what counts as empty, and how a person reads it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.core import text
from salon.core.text import folded, is_blank, tidy, tidy_lines

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
UNSEEN = ["\u00ad", "\u200b", "\u200e", "\u200f", "\u061c", "\u202e", "\u2066", "\u2069", "\u2060", "\ufeff", "\ufff9"]
LONE = ["\u200d", "\u200c", "\u3164", "\uffa0", "\u115f\u1160", "\u2800", "\u0301", " \u0301", "\ufe0f", "\u20e3",
        "\u034f", "\u17b4", "\U000e0067", "\U000e007f", "\ufffc", "\U0001d159", "\u3000", "\x00", "\ud800", "\ufeff",
        "\u200d\u200d \u3164\u2800", "\U00013430", "\U00013437\U00013438", "\U00013441"]  # fmt: skip


def before(text):
    """What was kept until now: format characters became blanks, joiners always stayed."""
    kept = (c if c in "\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else " " for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


@pytest.mark.parametrize("sign", UNSEEN, ids=ascii)
def test_what_is_not_shown_does_not_split_a_word(sign):
    assert tidy(f"wa{sign}ter{sign} lilies") == "water lilies"
    assert before(f"wa{sign}ter lilies") == "wa ter lilies"  # control


@pytest.mark.parametrize("text", LONE, ids=ascii)
def test_nothing_visible_is_empty(text):
    assert is_blank(text)
    assert tidy(text) == ""


def test_what_holds_hieroglyphs_together_stays_between_them():
    assert tidy("\U00013000\U00013430\U00013001 \U00013437") == "\U00013000\U00013430\U00013001 \U00013437"
    assert not is_blank("\U00013000")


def test_a_letter_that_looks_latin_in_one_case_is_read_so_in_both(monkeypatch):
    """And one that is turned over. Control: by Unicode's list alone, which knows no Latin letter for these."""
    disguised = ["вoy", "кidѕ", "пude", "nudє", "nɐkǝd", "ʇop"]
    plain = ["boy", "kids", "nude", "nude", "naked", "top"]
    assert list(map(folded, disguised)) == plain
    monkeypatch.setattr(text, "_look", lambda looks, c: looks.get(c) or looks.get(c.lower(), c))
    assert not set(map(folded, disguised)) & set(plain)


def test_once_such_things_passed_as_a_name():
    """Control: with what was kept until now, most of these are somebody's name."""
    assert sum(bool(before(text)) for text in LONE) > 10


@pytest.mark.parametrize(
    "text",
    [ENGLAND, SCOTLAND, "1️⃣", "#️⃣", "👩‍🚀", "👨‍👩‍👧", "❤️", "👍🏽", "🇪🇸", "न्‍य", "نامه‌ای", "é", "ﬁ", "ㅎ", "한글", "…", "?",
     "\U0001fae8", "狐", "<b>", "كتاب", "؀", "⠓⠊"],
)  # fmt: skip
def test_what_is_seen_stays(text):
    assert tidy(text) == unicodedata.normalize("NFC", text)
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("written", "kept"),
    [("🏴\U000e0067", "🏴"), ("fox\U000e0067\U000e007f", "fox"), ("🦊\U000e0067\U000e0062\U000e0065\U000e007f", "🦊"),
     ("a\u200db", "ab"), ("fox\u200d", "fox"), ("\u200d🦊", "🦊"), ("🦊\u200d", "🦊"), ("a\ufffe\ufdd0b", "ab")],
    ids=ascii,
)  # fmt: skip
def test_what_hides_without_a_purpose_goes(written, kept):
    assert tidy(written) == kept


@given(st.text(st.characters(codec=None), max_size=120))
def test_tidy_text_is_tidy_and_empty_means_unseen(text):
    clean = tidy(text)
    assert tidy(clean) == clean
    assert not clean or not is_blank(clean)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in clean)


def test_lines_stay_and_each_is_tidied():
    assert tidy_lines("\r\n one \u00ad two \r\n\u200d\r three\n\u3164") == "one two\n\nthree"


@pytest.mark.parametrize(
    "written",
    ["nude", "NUDE", "ＮＵＤＥ", "nudе", "ոսdе", "ɴᴜᴅᴇ", "🅝🅤🅓🅔", "🅽🆄🅳🅴", "🇳🇺🇩🇪", "⒩⒰⒟⒠", "𝓃𝓊𝒹ℯ", "𝐧𝐮𝐝𝐞",
     "ñüđé", "n\u0336u\u0336d\u0336e\u0336", "n\u00adude", "nu\u3164de", "nu\U000e0067de", "nu\u180ede", "nu\ufe0fde",
     "n\u034fude", "ηude", "nu\u2064de", "nu\u17b4de", "Ⓝⓤⓓⓔ", "ᴺᵁᴰᴱ"],
    ids=ascii,
)  # fmt: skip
def test_a_person_reads_latin_letters(written):
    assert folded(written) == "nude"


def test_other_scripts_stay_themselves_where_they_look_like_nothing_else():
    assert folded("кот и 狐") != "cat"
    assert "狐" in folded("кот и 狐")
