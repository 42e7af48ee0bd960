"""From hand-made numbers to verdicts: peaks, counts, colours, what is rejected."""

import numpy as np
import pytest

from salon.judge.decode import decode, peaks

TABLES = {
    "things": ["cat", "dog", "doctor"],
    "colours": ["", "red", "blue"],
    "styles": ["", "oil", "pencil"],
    "places": ["plain white", "at beach", "land river"],
    "lights": ["day", "night"],
    "presentations": ["woman", "man"],
    "tones": ["light", "dark"],
    "countries": ["", "Northmark"],
}
THRESHOLDS = {"heat": 0.35, "name": 0.5, "readable": 0.5}
WHOLE = [name for name in TABLES if name not in ("things", "colours")]


def cells(*spots):
    """Spots are (x, y, size, name, colour, heat logit, name logit), x and y in parts of the side."""
    out = np.zeros((4 + 3 + 3, 16, 16), np.float32)
    out[0] = -8
    for x, y, size, name, colour, heat, sure in spots:
        column, row = int(x * 16), int(y * 16)
        out[0, row, column] = heat
        out[1:4, row, column] = x * 16 - column - 0.5, y * 16 - row - 0.5, size * 4
        out[4 + TABLES["things"].index(name), row, column] = sure
        out[7 + TABLES["colours"].index(colour), row, column] = 6
    return out


def summary(readable=4.0, **words):
    numbers = [readable]
    for table in WHOLE:
        chosen = words.get(table, TABLES[table][0])
        numbers += [8.0 * (word == chosen) for word in TABLES[table]]
    return np.array(numbers, np.float32)


def spot(x, y=0.5, name="cat", colour="red", heat=3.0, sure=6.0, size=0.4):
    return (x, y, size, name, colour, heat, sure)


def read(*spots, **whole):
    return decode(cells(*spots), summary(**whole), TABLES, THRESHOLDS)


def test_things_have_their_names_boxes_and_colours():
    verdict = read(spot(0.28), spot(0.72, 0.3, "dog", "blue", heat=2.0))
    assert [(t.name, t.colour) for t in verdict.things] == [("cat", "red"), ("dog", "blue")]
    np.testing.assert_allclose(verdict.things[1].box, (0.52, 0.1, 0.92, 0.5), atol=1e-6)
    assert verdict.things[0].score > verdict.things[1].score > 0.8


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_things_are_counted(number):
    places = [(0.28, 0.28), (0.72, 0.28), (0.28, 0.72), (0.72, 0.72)][:number]
    assert read(*(spot(x, y) for x, y in places)).counts == ({"cat": number} if number else {})


def test_two_peaks_on_one_thing_are_one_thing():
    """Control: small things that stand as near are two."""
    assert read(spot(0.45), spot(0.6, heat=2.0)).counts == {"cat": 1}
    assert read(spot(0.45, size=0.15), spot(0.6, heat=2.0, size=0.15)).counts == {"cat": 2}


def test_a_plateau_and_its_shoulders_hold_one_peak():
    heat = np.zeros((16, 16), np.float32)
    heat[4:7, 4:7] = 0.5
    heat[5, 5] = 0.9
    assert peaks(heat, 0.35) == [(5, 5)]
    assert peaks(heat, 0.95) == []


def test_low_heat_is_nothing_and_an_unsure_name_is_no_name():
    assert read(spot(0.5, heat=-1.5)).things == ()
    assert read(spot(0.5, sure=0.2)).things[0].name is None


def test_an_image_that_cannot_be_read_shows_nothing():
    """Control: the same numbers, readable."""
    verdict = read(spot(0.5), readable=-3.0, styles="oil")
    assert (verdict.readable, verdict.things, verdict.style, verdict.place) == (False, (), None, None)
    assert read(spot(0.5), styles="oil").style == "oil"


def test_words_of_the_whole():
    verdict = read(spot(0.5, name="doctor"), styles="oil", places="at beach", countries="Northmark", lights="night")
    assert (verdict.style, verdict.place, verdict.country, verdict.presentation) == (
        "oil", "at beach", "Northmark", "woman")  # fmt: skip
    assert verdict.light is None  # told of landscapes only
    assert read(places="land river", lights="night").light == "night"
    assert read(spot(0.5), countries="Northmark").country is None  # and this of people only
    assert verdict.sure["style"] > 0.99


def test_pencil_has_no_colour():
    assert read(spot(0.5), styles="pencil").things[0].colour is None
