"""Four machines, one prompt: side by side they draw, each in its own way; what ails one does not stop the others."""

import json
import time

import pytest
from house import House
from playwright.sync_api import expect

from looking import accessible, fits

pytestmark = pytest.mark.slow

NAMES = ["latent", "vq", "cascade", "unclip"]
PAGE = "/station/machines"
#: kept by the page; set before anything is drawn: every sentence that a machine ever says
LISTEN = """
window.said = {};
for (const machine of document.querySelectorAll(".machine")) {
  const words = window.said[machine.dataset.name] = new Set();
  const step = machine.querySelector(".step");
  new MutationObserver(() => words.add(step.textContent)).observe(step, {childList: true, characterData: true, subtree: true});
}
"""  # noqa: E501
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
SCORED = [{"index": i, "id": str(i), "url": f"/images/{i}", "src": DOT} for i in range(4)]
#: finished pictures; the last preview stays below for a moment
FILES = '.machine .pane a img[src*="/images/"]'


def machine(page, name):
    return page.locator(f".machine[data-name={name}]")


def press(page, prompt, count=None):
    page.fill("#prompt", prompt)
    if count:
        page.select_option("#count", str(count))
    page.click("#draw")


def finished(page, names=NAMES, count=4):
    for name in names:
        expect(machine(page, name).locator(".pane a")).to_have_count(count)
        expect(machine(page, name).locator(".step")).to_contain_text("Done in")
        expect(machine(page, name).locator(".polyptych")).to_have_attribute("aria-busy", "false")


def posts(page):
    """What the page asks for from now on, without the sum for its ticket."""
    sent = []
    asking = lambda r: r.method == "POST" and not r.url.endswith("/api/ticket")  # noqa: E731
    page.on("request", lambda r: sent.append(json.loads(r.post_data or "{}")) if asking(r) else None)
    return sent


@pytest.fixture
def damaged(house: House, visit):
    """Damages models, as a torn file would; afterwards they are whole again."""
    from pathlib import Path

    file = Path(house.env["SALON_HOME"]) / "damaged"
    asks = visit("about:blank").request

    def settle(*names):
        file.write_text(" ".join(names))
        for _ in range(200):
            models = asks.get("/api/models").json()["models"]
            if {m["name"] for m in models if not m["ready"]} == set(names):
                return
            time.sleep(0.05)
        raise AssertionError("the house has not heard of it")

    yield settle
    settle()


def test_four_machines_draw_the_same_words_and_seeds(visit) -> None:
    page = visit(PAGE)
    sent = posts(page)
    assert page.locator(".machine h3").all_inner_texts() == NAMES
    expect(machine(page, "vq").locator(".after")).to_have_text("after dalle-mini")
    page.evaluate(LISTEN)
    # slow: the page listens before the first stages are over, however busy this machine is
    press(page, "a slow red fox in the forest")
    finished(page)
    assert [wish["model"] for wish in sent] == NAMES
    assert len({(w["prompt"], w["seed"], w["count"], w["key"].rsplit("-", 1)[0]) for w in sent}) == 1
    said = page.evaluate("Object.fromEntries(Object.entries(said).map(([name, words]) => [name, [...words]]))")
    assert "Code 16 of 16" in said["vq"]
    assert "Taking noise away: step 3 of 6" in said["latent"]
    assert "Guessing what a picture of this would mean" in said["unclip"]
    assert "Enlarging: step 6 of 6" in said["cascade"]
    expect(page.locator("#draw")).not_to_have_attribute("aria-disabled", "true")
    sources = page.eval_on_selector_all(FILES, "all => all.map(i => [i.src, i.naturalWidth])")
    assert len({src for src, _ in sources}) == 16
    assert {width for _, width in sources} == {256}
    machine(page, "cascade").locator(".pane a").nth(1).click()
    page.wait_for_url("**/images/*")
    assert page.inner_text("h1") == "a slow red fox in the forest"
    page.go_back()
    finished(page)
    assert page.input_value("#prompt") == "a slow red fox in the forest"


@pytest.mark.parametrize("count", [1, 9])
def test_one_or_nine_pictures_each(visit, count: int) -> None:
    page = visit(f"{PAGE}?prompt=a+blue+whale&seed=1863")
    assert (page.input_value("#prompt"), page.input_value("#seed")) == ("a blue whale", "1863")
    sent = posts(page)
    page.select_option("#count", str(count))
    page.click("#draw")
    finished(page, count=count)
    assert {(w["seed"], w["count"]) for w in sent} == {(1863, count)}


def test_a_damaged_machine_says_so_while_the_others_draw(visit, damaged) -> None:
    damaged("cascade")
    page = visit(PAGE)
    sent = posts(page)
    expect(machine(page, "cascade").locator(".trouble")).to_contain_text("cascade/model.json is torn")
    press(page, "a yellow duck")
    finished(page, ["latent", "vq", "unclip"])
    assert [wish["model"] for wish in sent] == ["latent", "vq", "unclip"]
    expect(machine(page, "cascade").locator(".trouble")).to_contain_text("cascade/model.json is torn")
    assert page.is_hidden("#placard")


def test_one_that_fails_says_so_in_its_place_and_is_asked_again(visit) -> None:
    page = visit(PAGE)
    press(page, "vq fails")
    finished(page, ["latent", "cascade", "unclip"])
    expect(machine(page, "vq").locator(".trouble")).to_contain_text("The canvas tore.")
    sent = posts(page)
    machine(page, "vq").get_by_text("Try again").click()
    expect(machine(page, "vq").locator(".trouble")).to_be_hidden()
    expect(machine(page, "vq").locator(".trouble")).to_contain_text("The canvas tore.")
    assert [wish["model"] for wish in sent] == ["vq"]
    page.reload()
    finished(page, ["latent", "cascade", "unclip"])
    expect(machine(page, "vq").locator(".trouble")).to_contain_text("The canvas tore.")


def test_a_refused_prompt_is_said_once_and_kept_in_the_field(visit) -> None:
    page = visit(PAGE, quiet=False)
    sent = posts(page)
    press(page, "a swastika")
    expect(page.locator("#placard")).to_contain_text("The jury declines")
    assert len(sent) == 1
    assert page.locator("main").inner_text().count("does not draw signs of hatred") == 1
    assert page.locator(".trouble:visible").count() == 0
    assert page.input_value("#prompt") == "a swastika"
    assert page.url.endswith(PAGE)
    assert page.evaluate("sessionStorage.getItem('salon-machines')") == "null"
    press(page, "a swan")
    finished(page)
    assert page.is_hidden("#placard")


@pytest.mark.parametrize("again", ["reload", "another tab", "back"])
def test_running_requests_are_found_again(visit, again: str) -> None:
    page = visit(PAGE)
    press(page, "a slow snail")
    page.wait_for_selector(".machine[data-name=unclip] img.rough")
    sent = posts(page)
    if again == "reload":
        page.reload()
    elif again == "back":
        page.goto("/station")
        page.go_back()
    else:
        address, page = page.url, page.context.new_page()
        page.goto(address)
    finished(page)
    assert page.input_value("#prompt") == "a slow snail"
    assert sent == []


def test_a_reload_in_the_middle_of_asking_asks_the_rest_and_nobody_twice(visit) -> None:
    page = visit(PAGE, quiet=False)
    held = []

    def hold(route):
        if not held and json.loads(route.request.post_data)["model"] == "cascade":
            held.append(route)  # never answered: the network hangs
        else:
            route.continue_()

    page.route("**/api/requests", hold)
    press(page, "a quick hare")
    expect(machine(page, "vq").locator(".pane a")).to_have_count(4)
    sent = posts(page)
    page.reload()
    finished(page)
    assert [wish["model"] for wish in sent] == ["cascade", "unclip"]


def test_a_second_press_is_none_and_other_words_are_a_new_one(visit) -> None:
    page = visit(PAGE)
    sent = posts(page)
    page.fill("#prompt", "a slow tortoise")
    page.evaluate("const b = document.querySelector('#draw'); b.click(); b.click(); b.click()")
    page.wait_for_selector(".machine[data-name=unclip] img.rough")
    page.evaluate("document.querySelector('#draw').click()")
    assert len(sent) == 4
    first = page.url
    press(page, "a quick hare")
    finished(page)
    asked = [wish["prompt"] for wish in sent if "prompt" in wish]
    assert asked == ["a slow tortoise"] * 4 + ["a quick hare"] * 4
    page.go_back()
    page.wait_for_url(first)
    expect(page.locator("#prompt")).to_have_value("a slow tortoise")
    expect(machine(page, "latent").locator(".step")).to_have_text("Stopped.")


def test_two_tabs_do_not_mix(visit) -> None:
    page = visit(PAGE)
    other = page.context.new_page()
    other.goto(PAGE)
    press(page, "a slow tortoise", 1)
    press(other, "a quick hare", 1)
    finished(other, count=1)
    finished(page, count=1)
    assert page.locator(".pane img:not(.rough)").first.get_attribute("alt").endswith("a slow tortoise")
    assert other.locator(".pane img:not(.rough)").first.get_attribute("alt").endswith("a quick hare")


def test_a_machine_waits_for_room_and_goes_in_by_itself(visit) -> None:
    page = visit(PAGE, quiet=False)
    full = {"code": "too_many_waiting", "message": "You have 6 requests waiting already.", "hint": ""}
    turned_away = []

    def door(route):
        model = json.loads(route.request.post_data)["model"]
        if model == "vq" and not turned_away:
            turned_away.append(model)
            route.fulfill(status=429, json=full)
        else:
            route.continue_()

    page.route("**/api/requests", door)
    press(page, "a slow river")
    expect(machine(page, "vq").locator(".trouble")).to_contain_text("You have 6 requests waiting already.")
    expect(machine(page, "latent").locator("img.rough").first).to_be_attached()
    finished(page)


def test_stop_stops_them_all(visit) -> None:
    page = visit(PAGE)
    press(page, "a slow cloud")
    page.wait_for_selector(".machine[data-name=unclip] img.rough")
    page.click("#stop")
    for name in NAMES:
        expect(machine(page, name).locator(".step")).to_have_text("Stopped.")
    expect(page.locator("#stop")).to_be_hidden()


def test_the_keyboard_is_enough(visit) -> None:
    page = visit(PAGE)
    page.focus("#prompt")
    page.keyboard.type("two yellow ducks")
    page.keyboard.press("Enter")
    finished(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "count"
    for _ in range(3):
        page.keyboard.press("Tab")
    panes = machine(page, "latent").locator(".pane a")
    expect(panes.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(panes.nth(3)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(machine(page, "latent").locator("details p").first).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/*")


def test_a_lost_line_is_found_again(visit, house: House) -> None:
    page = visit(PAGE, quiet=False)
    press(page, "a slow lighthouse")
    page.wait_for_selector(".machine[data-name=unclip] img.rough")
    house.close(house.web)
    expect(machine(page, "vq").locator(".step")).to_contain_text("reconnecting")
    house.open_web()
    finished(page)


def test_without_a_network_it_is_said_once_and_the_words_are_kept(visit) -> None:
    page = visit(PAGE, quiet=False)
    page.context.set_offline(True)
    press(page, "a fox on an island")
    expect(page.locator("#placard")).to_contain_text("No line to the house")
    assert page.locator(".trouble:visible").count() == 0
    page.context.set_offline(False)
    page.click("#draw")
    finished(page)


def test_clip_marks_the_picture_that_is_nearest(visit) -> None:
    page = visit(PAGE)
    scores = {"latent": [0.1, 0.3, 0.2, -0.4], "vq": [0.1, None, 0.2, 0.3]}

    def accept(route):
        name = json.loads(route.request.post_data)["model"]
        answer = {"id": name, "state": "waiting", "images": [], "words": []}
        route.fulfill(status=202, json=answer)

    def updates(route):
        frames = []
        for request in dict.fromkeys(route.request.url.split("id=")[1:]):
            request = request.strip("&")
            given = scores.get(request, [None] * 4)
            images = [{**image, "score": score} for image, score in zip(SCORED, given)]
            data = {"request": request, "data": {"images": images, "seconds": 1}}
            frames.append(f"event: finished\ndata: {json.dumps(data)}\n\n")
        route.fulfill(content_type="text/event-stream", body="".join(frames))

    page.route("**/api/requests", accept)
    page.route("**/station/machines/updates?*", updates)
    press(page, "an old castle")
    finished(page)
    assert page.locator(".pick").count() == 1
    expect(machine(page, "latent").locator(".pane").nth(1).locator(".pick")).to_have_text("CLIP’s pick")
    link = machine(page, "latent").locator(".pane").nth(2).locator("a")
    assert "place 2 of 4" in link.get_attribute("aria-label")


def test_a_stage_that_nobody_has_words_for_says_its_name(visit) -> None:
    page = visit(PAGE)
    preview, told = {"stage": "varnish", "step": 2, "steps": 5, "images": []}, set()

    def updates(route):
        """Every request is told of it once: how many of them a line asks for depends on how fast they were accepted."""
        ids = {part.strip("&") for part in route.request.url.split("id=")[1:]} - told
        told.update(ids)
        frames = [f"event: preview\ndata: {json.dumps({'request': i, 'data': preview})}\n\n" for i in sorted(ids)]
        if ids:
            route.fulfill(content_type="text/event-stream", body="".join(frames))
        else:
            route.continue_()

    page.evaluate(LISTEN)
    page.route("**/station/machines/updates?*", updates)
    press(page, "a slow old castle")
    finished(page)
    assert page.evaluate("said.latent.has('varnish: 2 of 5')")


def test_pictures_kept_back_are_passed_over(visit) -> None:
    page = visit(PAGE)
    press(page, "a hidden lamp")
    finished(page, count=3)
    expect(machine(page, "vq").locator(".pane").nth(1)).to_contain_text("Kept back")


def test_without_scripts_the_machines_are_explained(visit) -> None:
    page = visit(PAGE, java_script_enabled=False)
    assert page.is_hidden("#ask")
    assert page.locator("noscript a").get_attribute("href") == "/station"
    for name in NAMES:
        column = machine(page, name)
        column.locator("summary").click()
        assert column.locator("details p:not(.source)").count() == 3
        assert column.locator("svg[role=img] title").text_content().startswith("Diagram")
        assert column.locator("details a").count() == 0


def test_ways_lead_here(visit) -> None:
    page = visit("/")
    page.click("text=four machines")
    assert page.url.endswith(PAGE)
    page.goto("/station")
    page.click("text=Four machines, one prompt")
    assert page.url.endswith(PAGE)


def test_the_station_draws_with_any_machine(visit) -> None:
    page = visit("/station")
    page.click("#drawer summary")
    options = page.locator("#model option").all_inner_texts()
    assert options[0] == "latent, latent diffusion"
    assert "vq, after dalle-mini" in options
    assert not [words for words in options if "clip" in words.split(",")[0] and "unclip" not in words]
    sent = posts(page)
    page.select_option("#model", "vq")
    expect(page.locator("#num_inference_steps")).to_be_hidden()
    page.fill("#prompt", "a slow red fox")
    page.click("#draw")
    expect(page.locator("#step-text")).to_contain_text("Code")
    page.wait_for_selector("#grid[aria-busy=false] button")
    assert sent[0]["model"] == "vq"
    assert "sampler" not in sent[0]
    page.click("#grid li:first-child button")
    expect(page.locator("#viewer-medium")).to_contain_text("vq")


def test_models_are_listed_and_clip_is_not_drawable(visit) -> None:
    asks = visit(PAGE).request
    models = {m["name"]: m for m in asks.get("/api/models").json()["models"]}
    assert [name for name, m in models.items() if not m["drawable"]] == ["clip"]
    assert list(models["unclip"]["stages"]) == ["prior", "decoder", "super_resolution"]


def test_nothing_moves_while_they_draw(visit) -> None:
    page = visit(PAGE)
    page.evaluate("document.fonts.ready")
    press(page, "a slow fox")
    place = "() => JSON.stringify([...document.querySelectorAll('.how')].map(n => n.getBoundingClientRect().top))"
    page.wait_for_selector(".machine[data-name=unclip] img.rough")
    places = {page.evaluate(place)}
    while page.locator(".machine .polyptych[aria-busy=true]").count():
        places.add(page.evaluate(place))
    finished(page)
    assert len(places | {page.evaluate(place)}) == 1


def test_it_fits_every_screen(visit) -> None:
    page = visit(PAGE)
    for summary in page.locator(".how summary").all():
        summary.click()
    fits(page)
    for width in (320, 768, 1280, 3840):
        page.set_viewport_size({"width": width, "height": 740 if width < 900 else width * 9 // 16})
        first, last = (machine(page, name).locator(".frame").bounding_box() for name in ("latent", "unclip"))
        assert (first["y"] == last["y"]) is (width >= 1280)


def test_axe_finds_nothing(visit, damaged) -> None:
    damaged("cascade")
    page = visit(PAGE)
    press(page, "vq fails")
    finished(page, ["latent", "unclip"])
    for summary in page.locator(".how summary").all():
        summary.click()
    accessible(page)


def test_it_weighs_less_than_150_kb_without_pictures(visit) -> None:
    sizes: dict[str, int] = {}
    page = visit("about:blank")
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}) if r.request.resource_type != "image" else None)
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    assert sum(sizes.values()) < 150_000, sizes
