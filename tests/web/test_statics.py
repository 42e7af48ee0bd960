"""Styles and scripts: their address has their version, and browsers need not ask for them twice."""

import re

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from salon.web import statics

CSS = "salon/css/house.css"


def test_the_version_is_of_all_names_and_contents(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_text("1")
    first = statics.version(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{12}", first)
    assert statics.version(tmp_path) == first
    (tmp_path / "js" / "a.js").write_text("2")
    second = statics.version(tmp_path)
    (tmp_path / "js" / "a.js").rename(tmp_path / "js" / "b.js")
    assert len({first, second, statics.version(tmp_path)}) == 3


@pytest.mark.django_db
def test_pages_name_the_version_and_it_is_kept_for_good():
    assert static(CSS) in Client().get("/").content.decode()
    answer = Client().get(static(CSS))
    assert answer.status_code == 200
    assert "max-age=31536000" in answer["Cache-Control"]
    assert Client().get(f"/static/{CSS}").status_code == 404  # control: without it there is nothing
    assert Client().get(f"/static/{'0' * 12}/{CSS}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/wall/worker.js", "/door/worker.js"])
def test_a_worker_imports_this_version(path):
    answer = Client().get(path)
    script = b"".join(answer.streaming_content) if answer.streaming else answer.content
    [imported] = re.findall(r'importScripts\("([^"]+)"\)', script.decode())
    assert imported == f"{settings.STATIC_URL}salon/js/fresh-first.js"
    assert Client().get(imported).status_code == 200
    assert answer["Cache-Control"] == "no-cache"
