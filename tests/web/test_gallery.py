"""Proposing, deciding, withdrawing, forgetting: the rules, on the real database."""

import datetime
import io
import threading
from xml.etree import ElementTree

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from hands import hand
from PIL import Image as Picture

from salon.core.errors import Busy, Conflict, Refused, SalonError
from salon.desk import store as desk_store
from salon.engine.recipes import make_recipe
from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.gallery.domain import curating, proposing, showing, taking
from salon.web.gallery.models import Work
from salon.web.people import links
from salon.web.people.models import User
from salon.web.refuses.domain import reporting as refuses
from salon.web.refuses.models import Report
from salon.web.station.domain import intake
from salon.web.station.domain.intake import store
from salon.web.station.models import Image, Request

pytestmark = pytest.mark.django_db(transaction=True)
ADA, BOB = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def _event(first_event, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    return first_event


@pytest.fixture
def client():
    """A browser on the house's own pages."""
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def draw(engine):
    """Draws (without an engine) finished images for a visitor; their PNGs carry their words."""
    from salon.core.png import with_recipe

    def drawn(visitor=ADA, prompt="a red fox", count=1, seed=0):
        recipes = tuple(make_recipe(engine.models[0], prompt, seed + i) for i in range(count))
        request = store(current_event(), visitor, None, recipes)
        for i, recipe in enumerate(recipes):
            file = io.BytesIO()
            Picture.new("RGB", (256, 256), (10 * i, 90, 40)).save(file, "PNG")
            name = default_storage.save(f"x/{recipe.id}.png", ContentFile(with_recipe(file.getvalue(), recipe, "1")))
            Image.objects.filter(id=recipe.id).update(file=name)
        Request.objects.filter(id=request.id).update(state=Request.State.FINISHED)
        images = [Image.objects.get(id=recipe.id) for recipe in recipes]
        return images if count > 1 else images[0]

    return drawn


@pytest.fixture
def curator():
    return hand("cora")


def proposal(**more):
    form = {"title": "Fox", "may_show": "1"} | more
    found, wrong = proposing.read_proposal(form)
    assert wrong == {}
    return found


def hung(image, curator, visitor=ADA, **more):
    work, _ = proposing.propose(visitor, image, proposal(**more))
    return curating.decide(curator, work.id, "approved")


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"title": "  \u202e\u0000 ", "may_show": "1"}, "title"),
        ({"title": "x" * 500, "may_show": "1"}, "title"),
        ({"title": "Fox"}, "may_show"),
        ({"title": "Fox", "may_show": "1", "maker": "m" * 81}, "maker"),
        ({"title": "Fox", "may_show": "1", "statement": "s" * 1001}, "statement"),
        ({"title": "Fox", "may_show": "1", "licence": "mine!"}, "licence"),
    ],
)
def test_a_wrong_form_is_told_by_field(form, field):
    assert set(proposing.read_proposal(form)[1]) == {field}


def test_hostile_titles_are_tidied_and_never_markup(draw, curator, client):
    work = hung(draw(), curator, title="<script>alert(1)</script>\u202eevil\u0007", maker='"><img src=x>')
    assert work.title == "<script>alert(1)</script>evil"
    page = client.get(f"/works/{work.id}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_work_goes_its_way_and_every_deed_is_in_the_trail(draw, curator):
    work, new = proposing.propose(ADA, draw(), proposal())
    assert new
    assert list(showing.hung(current_event())) == []
    assert curating.decide(curator, work.id, "approved").hangs
    assert [w.id for w in showing.hung(current_event())] == [work.id]
    assert curating.undo(curator, work.id).state == "waiting"
    assert curating.decide(curator, work.id, "rejected", "  too\u0000 foxy ").reason == "too foxy"
    curating.undo(curator, work.id)
    curating.decide(curator, work.id, "approved")
    assert curating.decide(curator, work.id, "pulled").state == "pulled"
    deeds = list(Entry.objects.filter(subject=work.id).order_by("id").values_list("deed", "person__username"))
    assert deeds == [("proposed", None)] + [
        (deed, "cora") for deed in ("approved", "reopened", "rejected", "reopened", "approved", "pulled")
    ]


def test_two_curators_at_once_one_is_told(draw, curator):
    work, _ = proposing.propose(ADA, draw(), proposal())
    curating.decide(curator, work.id, "rejected")
    with pytest.raises(Conflict, match="was not hung"):
        curating.decide(curator, work.id, "approved")
    outcomes, ready = [], threading.Barrier(4)
    curating.undo(curator, work.id)

    def race(deed):
        ready.wait()
        try:
            curating.decide(curator, work.id, deed)
            outcomes.append(deed)
        except Conflict:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(d,)) for d in ("approved", "rejected", "approved", "rejected")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["told"] * 3 or outcomes.count("told") == 3


def test_sending_twice_proposes_once_and_others_images_cannot_be_proposed(draw):
    image = draw()
    first, new = proposing.propose(ADA, image, proposal())
    again, second = proposing.propose(ADA, image, proposal(title="Other"))
    assert (new, second, again.id) == (True, False, first.id)
    assert proposing.drawn_by(ADA, image.id) == image
    assert proposing.drawn_by(BOB, image.id) is None
    assert proposing.drawn_by(None, image.id) is None
    proposing.withdraw(ADA, first.id)
    assert proposing.propose(ADA, image, proposal())[1]  # after taking it back it may be proposed anew


def test_a_visitor_cannot_flood_the_inbox(draw, settings):
    settings.SALON_PROPOSALS_PER_VISITOR = 2
    images = draw(count=3)
    for image in images[:2]:
        proposing.propose(ADA, image, proposal())
    with pytest.raises(Busy, match="2 of your works wait"):
        proposing.propose(ADA, images[2], proposal())
    settings.SALON_PROPOSALS_PER_VISITOR = 3  # the control: without the limit it goes through
    assert proposing.propose(ADA, images[2], proposal())[1]


def test_only_the_maker_withdraws(draw, curator):
    work = hung(draw(), curator)
    with pytest.raises(SalonError, match="no work of yours"):
        proposing.withdraw(BOB, work.id)
    assert proposing.withdraw(ADA, work.id).state == "withdrawn"
    assert proposing.withdraw(ADA, work.id).state == "withdrawn"
    assert list(showing.hung(current_event())) == []


def test_without_consent_the_words_are_nowhere(draw, curator, client):
    """Not on the page, not in the file, not in the list of the wall. Control: with consent they are in all three."""
    image = draw(prompt="a secret fox in the snow")
    work = hung(image, curator)

    def seen():
        page, listing = client.get(f"/works/{work.id}").content, client.get("/wall/works.json").content
        return [b"secret fox" in part for part in (page, listing, client.get(f"/works/{work.id}.png").content)]

    assert seen() == [False, False, False]
    shown = Picture.open(io.BytesIO(client.get(f"/works/{work.id}.png").content))
    with default_storage.open(image.file) as file:
        assert shown.tobytes() == Picture.open(file).tobytes()
    assert image.id.encode() not in client.get("/wall/works.json").content
    Work.objects.update(may_publish_prompt=True)
    assert seen() == [True, True, True]


def test_what_does_not_hang_is_not_there(draw, curator, client):
    work, _ = proposing.propose(ADA, draw(), proposal())
    paths = ["", ".png", "/card.jpg", "/qr.svg"]
    assert [client.get(f"/works/{work.id}{path}").status_code for path in paths] == [404] * 4
    curating.decide(curator, work.id, "approved")
    assert [client.get(f"/works/{work.id}{path}").status_code for path in paths] == [200] * 4
    curating.decide(curator, work.id, "pulled")
    assert [client.get(f"/works/{work.id}{path}").status_code for path in paths] == [404] * 4
    assert work.title.encode() not in client.get("/gallery").content


def test_the_gallery_goes_on_page_after_page(draw, curator, client):
    images = draw(count=16)
    images += draw(count=16, seed=100)
    works = [hung(image, curator, visitor=f"{i:032x}") for i, image in enumerate(images)]
    for work, image in zip(works, images):
        assert work.image_id == image.id
    first, further = showing.page(current_event())
    second, end = showing.page(current_event(), further)
    assert [w.id for w in first + second] == [w.id for w in reversed(works)]
    assert (len(first), end) == (showing.PAGE, "")
    before, after = showing.neighbours(works[5])
    assert (before.id, after.id) == (works[4].id, works[6].id)
    assert showing.neighbours(works[0])[0] is showing.neighbours(works[-1])[1] is None
    assert client.get(f"/gallery?after={further}").content.count(b'class="piece"') == len(second)
    assert client.get("/gallery?after=nobody").status_code == 200


def test_what_is_shown_here_only_has_no_download(draw, curator, client):
    """Neither beside the label nor on the picture's own page; whoever drew it has theirs, a free licence gives it to
    all."""
    image = draw()
    work = hung(image, curator, may_publish_prompt="1", licence="all-rights")
    pages = [f"/works/{work.id}", f"/images/{image.id}"]

    def offered():
        return [b" download>" in client.get(page).content for page in pages]

    assert offered() == [False, False]
    Work.objects.update(licence="cc-by-4.0")
    assert offered() == [True, True]
    Work.objects.update(licence="all-rights")
    client.cookies["salon_ticket"] = signing.dumps(ADA, salt="salon.visitor")
    assert offered() == [True, True]


def test_all_that_one_drew_is_there_page_after_page_with_its_words(draw, client):
    """More than ninety pictures, which was all that the page showed."""
    for seed in range(proposing.REQUESTS_A_PAGE + 3):
        draw(prompt=f"fox number {seed}", count=9, seed=100 * seed)
    draw(BOB, prompt="somebody else's hare")
    client.cookies["salon_ticket"] = signing.dumps(ADA, salt="salon.visitor")
    pages = [client.get(f"/mine?page={number}").content.decode() for number in (1, 2)]
    assert [page.count('class="drawn-row"') for page in pages] == [proposing.REQUESTS_A_PAGE, 3]
    for seed in range(proposing.REQUESTS_A_PAGE + 3):
        assert sum(f"fox number {seed}</h3>" in page for page in pages) == 1
    assert sum(page.count("/images/") for page in pages) >= 9 * (proposing.REQUESTS_A_PAGE + 3) > 90
    assert "hare" not in "".join(pages)
    for number in ("", "0", "-1", "999", "x", "１"):
        assert client.get("/mine", {"page": number}).status_code == 200


def test_feed_and_card(draw, curator, client):
    work = hung(draw(), curator, title="Fox & Sons", maker="Ada")
    root = ElementTree.fromstring(client.get("/gallery/feed.xml").content)
    space = {"a": "http://www.w3.org/2005/Atom"}
    assert [e.text for e in root.findall("a:entry/a:title", space)] == ["Fox & Sons"]
    assert root.find("a:entry/a:author/a:name", space).text == "Ada"
    card = Picture.open(io.BytesIO(client.get(f"/works/{work.id}/card.jpg").content))
    assert card.size == (1200, 630)
    middle = card.getpixel((600, 315))
    assert max(abs(a - b) for a, b in zip(middle, (0, 90, 40))) < 12  # the picture itself, not a logo


def test_forgetting_leaves_nothing_that_leads_back(draw, curator):
    mine, shared = draw(count=2)
    store(current_event(), BOB, None, (shared.recipe,))
    hung(mine, curator)
    Report.objects.create(event=current_event(), image=draw(BOB, "a dog"), visitor=BOB, failure="bias", target="none")
    reported = draw(prompt="a reported fox")
    Report.objects.create(event=current_event(), image=reported, visitor=BOB, failure="bias", target="none")
    waiting = store(current_event(), ADA, None, (reported.recipe,))
    gone, stopped = proposing.forget(ADA)
    assert len(gone) == 1
    assert stopped == [waiting.id]  # the desk is told to stop drawing it
    assert not Work.objects.filter(visitor=ADA).exists()
    assert not Request.objects.filter(visitor=ADA).exists()
    assert not Entry.objects.filter(visitor=ADA).exists()
    assert not Image.objects.filter(id=mine.id).exists()
    assert not default_storage.exists(mine.file)
    assert Image.objects.filter(id=shared.id).exists()  # somebody else's, too
    assert Image.objects.filter(id=reported.id).exists()  # the register's
    assert default_storage.exists(shared.file)


def test_reports_are_one_an_image_and_limited(draw, settings):
    settings.SALON_REPORTS_PER_HOUR = 2
    images = draw(BOB, count=3)
    values, wrong = refuses.read_report({"failure": "bias", "target": "gender", "text": "\u202eno"})
    assert (wrong, values["text"]) == ({}, "no")
    refuses.report(ADA, images[0], values)
    refuses.report(ADA, images[0], values | {"failure": "other"})
    assert [r.failure for r in Report.objects.all()] == ["other"]
    refuses.report(ADA, images[1], values)
    with pytest.raises(Busy, match="2 images within the hour"):
        refuses.report(ADA, images[2], values)
    assert set(refuses.read_report({})[1]) == {"failure", "target"}
    assert set(refuses.read_report({"failure": "bias", "target": "none", "text": "t" * 501})[1]) == {"text"}


def test_backstage_is_for_people_of_the_house(draw, curator, client):
    work, _ = proposing.propose(ADA, draw(), proposal())
    for path in ("/backstage", "/backstage/trail", "/backstage/devices", "/backstage/reports", "/backstage/engine"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/backstage/login")
    client.post(f"/backstage/works/{work.id}/approved")
    assert not Work.objects.get().hangs
    User.objects.create_user("visitor", password="a long one 42")
    client.post("/backstage/login", {"username": "visitor", "password": "a long one 42"})
    client.post(f"/backstage/works/{work.id}/approved")  # an account alone is not enough
    assert not Work.objects.get().hangs
    client.post(f"/backstage/enter/{links.new_link(curator)}")
    client.post(f"/backstage/works/{work.id}/approved")
    assert Work.objects.get().hangs
    assert client.post(f"/backstage/works/{work.id}/exploded").status_code == 404
    answer = client.post(f"/backstage/works/{work.id}/approved")
    assert answer.status_code == 409
    assert b"Somebody was quicker" in answer.content
    curating.undo(curator, work.id)
    elsewhere = {"headers": {"Sec-Fetch-Site": "cross-site"}}
    assert client.post(f"/backstage/works/{work.id}/approved", **elsewhere).status_code == 403
    assert not Work.objects.get().hangs
    client.post("/backstage/logout")
    assert client.get("/backstage").status_code == 302


def test_a_pause_stops_new_requests_only(draw, curator, client, engine):
    from salon.web.backstage.domain import set_house
    from salon.web.station.domain.intake import Ask, submit

    work = hung(draw(), curator)
    set_house(curator, True, "Back at \u202etwo")
    with pytest.raises(Busy, match="short pause"):
        submit(Ask(prompt="a cat"), ADA, engine)
    assert client.get(f"/works/{work.id}").status_code == 200
    assert current_event().banner == "Back at two"
    set_house(curator, False, "")
    assert submit(Ask(prompt="a cat"), ADA, engine)[1]
    assert list(Entry.objects.filter(subject="").values_list("deed", flat=True).order_by("id"))[:2] == [
        "paused",
        "banner",
    ]


def test_the_way_home_is_signed(draw, client):
    draw(BOB)
    assert client.get("/mine/qr.svg").status_code == 404  # nobody's
    assert client.get("/mine/take/forged:token").status_code == 403
    other = signing.dumps(BOB, salt="salon.visitor")  # a ticket is no code
    assert client.get(f"/mine/take/{other}").status_code == 403
    before = signing.dumps(BOB, salt="salon.take", compress=True)  # a code of a house that did not count them yet
    assert client.post(f"/mine/take/{before}").status_code == 403
    assert client.post(f"/mine/take/{taking.code(BOB)}").status_code == 302
    assert b"a red fox" in client.get("/mine").content
    assert client.get("/mine/qr.svg").headers["Content-Type"] == "image/svg+xml"


def test_undoing_beside_a_new_proposal_is_a_conflict(draw, curator, client):
    """Rejected, proposed anew, and then undone: one image would have two live works. Told, not broken."""
    image = draw()
    first, _ = proposing.propose(ADA, image, proposal())
    curating.decide(curator, first.id, "rejected")
    second, _ = proposing.propose(ADA, image, proposal(title="Fox again"))
    with pytest.raises(Conflict, match="anew"):
        curating.undo(curator, first.id)
    curating.decide(curator, second.id, "rejected")
    assert curating.undo(curator, first.id).state == "waiting"  # the control


def test_taking_along_adds_to_what_the_phone_has(draw, client):
    """Neither the phone's own pictures nor the booth's are lost; the booth shows nothing any more."""
    from django.core import signing

    phone, booth = draw(ADA, "a phone fox"), draw(BOB, "a booth fox")
    work, _ = proposing.propose(BOB, booth, proposal())
    client.cookies["salon_ticket"] = signing.dumps(ADA, salt="salon.visitor")
    client.post(f"/mine/take/{taking.code(BOB)}")
    page = client.get("/mine").content
    assert b"a phone fox" in page
    assert b"a booth fox" in page
    assert work.id.encode() in page
    assert not Request.objects.filter(visitor=BOB).exists()
    assert proposing.drawn_by(ADA, phone.id) == phone


def test_an_image_taken_away_is_nowhere_and_cannot_be_drawn_again_until_it_is_let_in(draw, curator, client, engine):
    image = draw()
    work = hung(image, curator)
    event, works = curating.remove(curator, image.id, "a face")
    assert [w.id for w in works] == [work.id]
    for address in (f"/works/{work.id}", f"/works/{work.id}.png", f"/images/{image.id}.png"):
        assert client.get(address).status_code == 404, address
    assert "took this picture down" in client.get(f"/images/{image.id}").content.decode()
    assert not default_storage.exists(image.file)
    work.refresh_from_db()
    assert (work.state, work.reason) == ("pulled", "a face")
    assert list(Entry.objects.order_by("-id").values_list("deed", flat=True)[:2]) == ["removed", "pulled"]
    with pytest.raises(Refused, match="took this picture down"):
        intake.submit(intake.Ask(image=image.id), BOB, engine)
    # the same words and seed lead to the same name: what the engine draws of it is not kept either
    request = store(event, BOB, None, (image.recipe,))
    desk_store.keep(request.id, [(image.id, b"PNG")], [], 1.0)
    assert not Image.objects.get(id=image.id).present
    curating.undo(curator, work.id)
    with pytest.raises(Conflict, match="was erased"):
        curating.decide(curator, work.id, "approved")
    curating.let_in(curator, image.id)
    with pytest.raises(Conflict):
        curating.let_in(curator, image.id)
    desk_store.keep(request.id, [(image.id, b"PNG")], [], 1.0)
    assert Image.objects.get(id=image.id).present
    assert curating.decide(curator, work.id, "approved").hangs


def test_only_people_of_the_house_take_images_away(draw, client, curator):
    image = draw()
    for how in (client.get, client.post):
        assert how(f"/backstage/images/{image.id}/remove").status_code == 302
    assert Image.objects.get(id=image.id).present
    client.force_login(curator)
    assert client.get(f"/backstage/images/{image.id}/remove").status_code == 200
    assert client.post(f"/backstage/images/{image.id}/remove").status_code == 302
    assert not Image.objects.get(id=image.id).present
    assert client.post(f"/backstage/images/{'0' * 32}/remove").status_code == 409


def test_dark_walls_show_nothing_and_the_gallery_stays(draw, curator, client):
    work = hung(draw(), curator)
    client.force_login(curator)
    client.post("/backstage/lights", {"dark": "1"})
    assert client.get("/wall/works.json").json()["works"] == []
    assert work.title in client.get("/gallery").content.decode()
    client.post("/backstage/lights")
    assert [w["id"] for w in client.get("/wall/works.json").json()["works"]] == [work.id]
    assert list(Entry.objects.order_by("id").values_list("deed", flat=True))[-2:] == ["darkened", "lit"]


def test_a_clock_that_jumps_keeps_the_order_of_the_walls_whole(draw, curator, monkeypatch):
    """The newest is what was hung by the clock; whatever the clock says, nothing is lost or shown twice."""
    images = draw(count=4)
    for step, image in zip((0, -3600, 7200, -7200), images):
        moment = timezone.now() + datetime.timedelta(seconds=step)
        monkeypatch.setattr(curating.timezone, "now", lambda moment=moment: moment)
        hung(image, curator)
    first, further = showing.page(current_event())
    assert len({w.id for w in first}) == 4
    assert further == ""
    assert [w["id"] for w in showing.listing(current_event(), 9)] == [w.id for w in first]


def test_forgetting_a_visitor_lets_nothing_in_that_the_house_took_down(draw, curator, engine):
    kept_out, other = draw(count=2)
    curating.remove(curator, kept_out.id)
    proposing.forget(ADA)
    assert not Image.objects.filter(id=other.id).exists()
    with pytest.raises(Refused):
        intake.submit(intake.Ask(image=kept_out.id), BOB, engine)
