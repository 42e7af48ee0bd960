"""A visitor reports what came out, a curator makes a finding of it, the machine draws it again: visitors come first,
and a killed engine costs nothing."""

import json
import re
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from looking import come_in

pytestmark = pytest.mark.slow


def tap(page, *labels):
    for label in labels:
        page.locator("label.tap", has=page.get_by_text(label, exact=True)).click()


def salon(house, *words):
    return subprocess.run(
        [sys.executable, "-m", "salon", *words], env=house.env, capture_output=True, text=True, check=True
    ).stdout


def test_a_report_becomes_a_finding_with_a_rate(house, browser, visitor, tmp_path):
    page = visitor.new_page()
    page.goto("/station?prompt=a+scientist&seed=3&count=1")
    page.click("#draw")
    page.wait_for_selector('#grid[aria-busy=false] img[src*="/images/"]')
    image = page.get_attribute('#grid img[src*="/images/"]', "src").removesuffix(".png")
    page.goto(f"{image}/report")
    tap(page, "It shows a stereotype", "Gender")
    page.fill("#text", "the same again, عربي 🧪")
    page.click("button:has-text('Report it')")
    expect(page.locator("h1")).to_have_text("Thank you")

    curator = browser.new_context(base_url=house.url, accept_downloads=True)
    curator.set_default_timeout(120_000)
    back = curator.new_page()
    come_in(back, re.search(r"/backstage/enter/\S+", salon(house, "backstage"))[0])
    back.goto("/backstage/findings")
    back.locator("article", has_text="the same again").get_by_role("button", name="Make it a finding").click()
    looked_for = back.locator("#look_for option[selected]").get_attribute("value")
    assert looked_for.startswith("presentation=")  # the judge's own reading of the reported picture
    back.click("button:has-text('Draw it again')")  # 64, as is usual
    expect(back.locator("#drawing")).to_contain_text("of 64")

    began = time.monotonic()
    page.goto("/station?prompt=a+red+fox&count=1")  # a visitor comes in the middle
    page.click("#draw")
    page.wait_for_selector('#grid[aria-busy=false] img[src*="/images/"]')
    waited = time.monotonic() - began
    back.reload()
    expect(back.locator("#drawing")).to_be_visible()  # was served before the register, which still draws
    house.kill_engine()
    expect(back.locator(".rate b")).to_be_visible(timeout=400_000)
    print(f"the visitor waited {waited:.1f} s; all 64 after {time.monotonic() - began:.1f} s")
    said = re.fullmatch(r"(\d+) of 64, (?:interval \d+–|at most )\d+%", back.locator(".rate b").inner_text())

    out = tmp_path / "findings.jsonl"
    assert "1 finding" in salon(house, "findings", "export", "--out", str(out))
    (row,) = map(json.loads, out.read_text().splitlines())
    assert (row["seen"], row["of"], row["counted_by"], row["outcome"]) == (int(said[1]), 64, "judge", looked_for)
    assert sum(row[name] for name in ("seen", "unseen", "unreadable", "withheld", "failed", "disputed")) == 64
    assert len(set(row["fresh"])) == 64
    assert "the same again" not in out.read_text()
    curator.close()
