"""The first day: somebody types words that no training caption holds, and takes a picture home."""

import io
import itertools
import time
from urllib.parse import urlencode

import pytest
from PIL import Image, ImageChops

from salon.core.png import read_recipe
from salon.world import vocabulary
from salon.world.scene import held_out
from waiting import until

#: notes every picture that a pane ever shows
WATCH = """
window.seen = Array.from({length: 9}, () => new Set());
new MutationObserver(() => document.querySelectorAll("#grid li").forEach((pane, place) =>
  pane.querySelectorAll("img.rough").forEach(image => window.seen[place].add(image.src))
)).observe(document.querySelector("#grid"), {subtree: true, childList: true});
"""
READY = "document.querySelectorAll('#grid button img').length === %d"


def new_sentence():
    """A prompt of a noun and a place that training never saw together."""
    nouns = [noun.name for noun in vocabulary.NOUNS if noun.name in ("fox", "owl", "cat", "dog", "horse", "rabbit")]
    noun, place = next(p for p in itertools.product(nouns, vocabulary.PLACES) if held_out(p[0], f"at {p[1]}"))
    return f"a {noun} {vocabulary.PLACES[place][0]}"


def press(page, count):
    """Presses the button; the request's state as the house answers it."""
    with page.expect_response(lambda r: r.url.endswith("/api/requests") and r.request.method == "POST") as found:
        page.click("#draw")
    assert found.value.status == 202, found.value.text()
    answer = found.value.json()
    assert len(answer["images"]) == count
    return answer


def begin(visitor, prompt, seed, steps=50, count=4):
    """A page in the middle of a drawing, and the drawing's state."""
    page = visitor.new_page()
    fields = {"prompt": prompt, "seed": seed, "num_inference_steps": steps, "count": count}
    page.goto(f"/station?{urlencode(fields)}")
    answer = press(page, count)
    page.wait_for_selector("#grid img.rough")
    return page, answer


def finished(visitor, request):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        answer = visitor.request.get(f"/api/requests/{request}").json()
        assert answer["state"] in ("waiting", "running", "finished"), answer
        if answer["state"] == "finished":
            return answer
        time.sleep(0.3)
    raise AssertionError("not finished")


def still_drawing(visitor, request):
    return visitor.request.get(f"/api/requests/{request}").json()["state"] in ("waiting", "running")


def png(visitor, image_id):
    answer = visitor.request.get(f"/images/{image_id}.png")
    assert answer.status == 200
    return answer.body()


def colours(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one, other):
    return max(high for _, high in ImageChops.difference(colours(one), colours(other)).getextrema())


def drawn_again(visitor, house, image_id):
    """How far (0 to 255) the image is from the same recipe drawn once more."""
    answer = visitor.request.post("/api/requests", data={"image": image_id}, headers={"Origin": house.url})
    assert answer.status == 202, answer.text()
    (image,) = finished(visitor, answer.json()["id"])["images"]
    return image["difference"]


def test_new_words_become_nine_images_one_is_drawn_again_and_taken_home(visitor, house, tmp_path):
    prompt = new_sentence()
    page = visitor.new_page()
    page.goto("/station")
    page.evaluate(WATCH)
    page.fill("#prompt", prompt)
    asked = press(page, 9)
    until(page, READY % 9)
    assert all(len(sources) >= 2 for sources in page.evaluate("seen.map(s => [...s])")), "it sharpens before the end"
    until(page, "() => document.querySelectorAll('#grid img').length === 9")
    sizes = page.eval_on_selector_all("#grid img", "all => all.map(i => [i.naturalWidth, i.naturalHeight])")
    assert sizes == [[256, 256]] * 9
    pictures = [png(visitor, image["id"]) for image in asked["images"]]
    assert all(difference(a, b) > 8 for a, b in itertools.combinations(pictures, 2)), "nine seeds, nine pictures"

    page.click("#grid li:nth-child(5) button")
    page.click("#viewer-link")
    page.wait_for_url("**/images/*")
    page.click("#again")
    until(page, "() => /same picture/.test(document.querySelector('#verdict').textContent)")
    image_id = asked["images"][4]["id"]
    assert drawn_again(visitor, house, image_id) <= 1

    with page.expect_download() as download:
        page.click("a[download]")
    home = tmp_path / "home.png"
    download.value.save_as(home)
    recipe = read_recipe(home.read_bytes())
    assert (recipe.prompt, recipe.id) == (prompt, image_id)
    assert home.read_bytes() == pictures[4]


def test_a_tab_closed_in_the_middle_loses_nothing(visitor):
    page, asked = begin(visitor, "two red apples on the grass", seed=5)
    page.close()
    assert still_drawing(visitor, asked["id"])
    finished(visitor, asked["id"])
    back = visitor.new_page()
    back.goto(f"/station?request={asked['id']}")
    until(back, READY % 4)
    assert [read_recipe(png(visitor, image["id"])).seed for image in asked["images"]] == [5, 6, 7, 8]


@pytest.mark.slow
def test_an_engine_killed_in_the_middle_is_replaced_and_draws_the_same(visitor, house):
    page, asked = begin(visitor, "a yellow duck in the snow", seed=77)
    killed = house.kill_engine()
    assert still_drawing(visitor, asked["id"])
    until(page, READY % 4)
    assert house.engine() not in (0, killed)
    assert [read_recipe(png(visitor, image["id"])).seed for image in asked["images"]] == [77, 78, 79, 80]
    assert drawn_again(visitor, house, asked["images"][0]["id"]) <= 1
