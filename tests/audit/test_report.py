"""The report: one file, no requests, no scripts, every number leads to its images, whatever words are in the probe."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from easel import SMALL, Easel, run
from msgspec.structs import replace

from salon.audit import page
from salon.audit.page import Mark
from salon.audit.probe import parse_probe
from salon.audit.report import summary

RUDE = "</title><script>alert(1)</script>"


class Reader(HTMLParser):
    """Collects tags, ids, links and addresses; knows open elements that were never closed."""

    VOID = {"meta", "img", "br", "link", "circle", "line", "hr"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.targets, self.sources, self.open = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.targets += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "out"
    run(out, Easel(refuses="judge"), replace(SMALL, title=RUDE, seeds=8))
    return out


def test_one_file_that_asks_for_nothing(folder):
    text = (folder / "report.html").read_text()
    found = Reader(text)
    assert not found.open
    assert {"script", "link", "iframe"}.isdisjoint(found.tags)
    assert all(source.startswith("data:image/webp;base64,") for source in found.sources)
    assert not re.search(r"(?:src|href)=[\"']?https?:|url\((?!data:)", text)
    assert RUDE not in text


def test_every_number_leads_to_its_images(folder):
    found = Reader((folder / "report.html").read_text())
    assert len(set(found.ids)) == len(found.ids)
    assert {target[1:] for target in found.targets} <= set(found.ids)
    assert all(target.startswith("#") for target in found.targets)
    cells = [name for name in found.ids if re.fullmatch(r"c\d+", name)]
    assert {f"#{cell}-images" for cell in cells} <= set(found.targets)


def test_csv_and_json_say_the_same(folder):
    report = json.loads((folder / "report.json").read_text())
    rows = list(csv.DictReader((folder / "cells.csv").open()))
    assert [row["id"] for row in rows] == [cell["id"] for cell in report["cells"]]
    assert [float(row["rate"]) for row in rows] == [cell["cell"]["rate"] for cell in report["cells"]]
    assert report["probe"]["title"] == RUDE
    assert report["probe_sha256"] == replace(SMALL, title=RUDE, seeds=8).hash


def test_it_says_how_it_was_made(folder):
    text = (folder / "report.html").read_text()
    for said in ("Benjamini-Hochberg", "Seeds", "0 to 7", "Likeness to a training picture proves no copying", "Limits",
                 "0" * 16, "no judgement of anybody"):  # fmt: skip
        assert said in text


def test_nothing_found_is_said(tmp_path):
    quiet = replace(SMALL, slots={"who": ("a cook", "a judge"), "where": ("", "in Highmoor")})
    report = run(tmp_path / "out", probe=quiet)
    assert summary(report)["flagged"] == []
    text = (tmp_path / "out" / "report.html").read_text()
    assert "No cell is flagged" in text
    assert "no cell differs from its reference" in text


def test_words_of_other_scripts(tmp_path):
    text = """
name = "words"
title = "\u0641\u0646\u0627\u0646 & \u753b\u5bb6 <b>"
hypothesis = "\u0130\u00df"
template = "{who}"
seeds = 2
[slots]
who = ["\u0641\u0646\u0627\u0646", "\u753b\u5bb6", "a \U0001f9d1\u200d\U0001f3a8", "'; DROP"]
[[contrasts]]
compare = "who"
field = "presentation"
outcomes = ["man"]
against = "others"
margin = 0.5
"""
    run(tmp_path / "out", probe=parse_probe(text))
    found = Reader((tmp_path / "out" / "report.html").read_text())
    assert not found.open
    assert "b" not in found.tags[: found.tags.index("main")]


def test_plots_keep_inside_their_frame():
    drawn = page.plot([Mark(0.0, 0.0, 1.0, "cell"), Mark(1.0, 0.5, 1.0, "reference")], ticks=True)
    numbers = [float(x) for x in re.findall(r'(?:x1|x2|cx)="([\d.]+)"', drawn)]
    assert 0 < min(numbers) < max(numbers) < page.WIDE
