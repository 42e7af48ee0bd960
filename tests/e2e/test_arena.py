"""A person votes blind on pictures that the shipped models draw, and the leaderboard says so."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from salon.core.png import read_recipe
from waiting import PICTURES, until

pytestmark = pytest.mark.slow


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def get(visitor, address):
    answer = visitor.request.get(address)
    assert answer.status == 200, address
    return answer.body()


def test_a_person_votes_blind_on_a_real_battle(visitor):
    page = visitor.new_page()
    page.goto("/arena")
    page.fill("#prompt", "a red apple on the grass")
    page.click("[name=own]")
    expect(page.locator("#duel[data-state=ready]")).to_be_visible(timeout=120_000)
    blind = [get(visitor, f"{page.url}/{side}.png") for side in "ab"]
    assert all(pixels(data).shape == (256, 256, 3) and pixels(data).std() > 8 for data in blind)
    assert abs(pixels(blind[0]) - pixels(blind[1])).mean() > 2  # two hands, not one
    until(page, PICTURES)
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text("You chose the left one")
    links = page.locator(".hand").get_by_text("Its recipe").all()
    files = [get(visitor, f"{link.get_attribute('href')}.png") for link in links]
    recipes = [read_recipe(data) for data in files]
    names = [text.split("\n")[0].strip() for text in page.locator(".plaque").all_inner_texts()]
    assert [recipe.model for recipe in recipes] == names
    assert len(set(names)) == 2
    assert recipes[0].seed == recipes[1].seed
    assert {recipe.prompt for recipe in recipes} == {"a red apple on the grass"}
    for shown, kept in zip(blind, files):
        np.testing.assert_array_equal(pixels(shown), pixels(kept))
    board = visitor.request.get("/arena/leaderboard.json").json()
    rows = {row["name"]: row for component in board["components"] for row in component}
    assert board["votes"] == 1
    assert rows[names[0]]["rating"] > 0 > rows[names[1]]["rating"]
    assert rows[names[0]]["rating_q025"] is None  # one voter: nothing bounds it
    assert "latent-flawed" not in rows
    page.goto("/arena/leaderboard")
    expect(page.locator(".lede")).to_contain_text("Too early to tell")
