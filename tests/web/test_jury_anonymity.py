"""An anonymous round tells a juror nothing of who applies: every answer that a juror gets is searched, bytes and
headers. The control is the same round with names shown: there each of these is found, so the search can find them."""

import html
import re

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from jury_house import (  # noqa: F401 (fixtures)
    answer,
    application,
    asked,
    judge,
    jury,
    olga,
    phase,
    question,
    seat,
    upload,
)

from salon.web.call.models import Submission
from salon.web.jury.domain import assigning
from salon.web.jury.domain.anonymity import Mask
from salon.web.jury.models import Phase

# ruff: noqa: F811 (fixtures of jury_house.py)
pytestmark = pytest.mark.django_db

#: each of these says who it is; in the control all are found but the address, which no juror ever needs
TELLING = {
    "name": "Ada Lovelace", "artist's name": "AL Studio", "in the title": "Lovelace's dream", "personal": "Wheelchair",
    "personal file": "portrait-of-me", "file name": "ada_final_v2", "link": "adalovelace.art", "file": "cv-lovelace",
}  # fmt: skip
NEVER = ("ada@engine.org", "typed but not sent")


@pytest.fixture(autouse=True)
def _files(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def told():
    """An application in which everything tells."""
    made = application(
        "Lovelace's dream", "Ada Lovelace", "ada@engine.org", artist="AL Studio", typed={"about": "typed but not sent"},
        about="I, ADA LOVELACE, weave. Write to ada@engine.org or ask for Ada.\nAn adagio.",
    )  # fmt: skip
    answer(made, question(label="Materials"), "wool, by AL Studio")
    answer(made, question("link", "Look here"), "https://www.adalovelace.art/works")
    answer(made, question("link", "And here"), "https://looms.example/7")
    answer(made, question(label="Access needs", personal=True), "Wheelchair")
    answer(made, question("agreement", "Rules"), True)
    upload(made, "ada_final_v2.jpg", question("file", "The work"))
    upload(made, "portrait-of-me.jpg", question("file", "Portrait", personal=True))
    upload(made, "cv-lovelace.pdf", question("file", "More"), shown=False)
    return made


def everything(user, of, submission):
    """All that the juror's pages answer, as one text of bytes and headers."""
    client = Client(headers={"sec-fetch-site": "same-origin"})
    client.force_login(user)
    page = f"/backstage/jury/judge/{asked(user, submission, of).pk}"
    said = [client.get(path) for path in ("/backstage/jury/queue", page)]
    said += [client.post(page, {"score": "wrong"}), client.get("/backstage/jury", follow=True)]
    said += [client.get(f"{page}/{kind}/{n}") for kind in ("pictures", "files") for n in range(4)]
    text = b"\n".join(
        answer.getvalue() + str(answer.headers).encode() if answer.status_code != 404 else b"" for answer in said
    )
    assert b"Materials" in text
    assert b"An adagio" in text
    assert b"looms.example" in text  # what may be seen is seen
    return html.unescape(text.decode(errors="replace")), [answer.status_code for answer in said]


def test_nothing_tells_who_it_is_unless_names_are_shown(olga, jury, told):
    of = phase(olga)
    assigning.assign(olga, of.pk, told.pk, seat(jury[0]).pk)
    text, statuses = everything(jury[0], of, told)
    found = [what for what, word in TELLING.items() if word.casefold() in text.casefold()]
    assert found == []
    assert not re.search(r"\bAda\b", text)
    assert statuses == [200, 200, 422, 200, 200, 404, 404, 404, 404, 404, 404, 404]
    assert "3 files" not in text
    assert "1 file is held back" in text
    for name in (told.pk, told.guest_id, *told.uploads.values_list("pk", "sha256").first()):
        assert name not in text  # nothing by which other pages could be asked

    Phase.objects.filter(pk=of.pk).update(names_shown=True)
    text, statuses = everything(jury[0], of, told)
    missing = [what for what, word in TELLING.items() if word.casefold() not in text.casefold()]
    assert missing == []
    assert statuses == [200, 200, 422, 200, 200, 200, 404, 404, 200, 404, 404, 404]
    for word in NEVER:
        assert word not in text.replace("Write to ada@engine.org", "")


def test_what_others_wrote_comes_without_their_names(olga, jury, told):
    of = phase(olga, others="always")
    for user in jury[:2]:
        assigning.assign(olga, of.pk, told.pk, seat(user).pk)
    judge(jury[1], told, of, 8, text="a strong piece")
    text, _statuses = everything(jury[0], of, told)
    assert "a strong piece" in text
    assert f"Juror {seat(jury[1]).number}" in text
    assert "ben" not in re.sub(r"<nav.*?</nav>", "", text, flags=re.DOTALL)


def test_pictures_know_nothing_of_their_origin(olga, jury, told):
    """The control: the file as it came does."""
    of = phase(olga)
    assigning.assign(olga, of.pk, told.pk, seat(jury[0]).pk)
    client = Client()
    client.force_login(jury[0])
    seen = client.get(f"/backstage/jury/judge/{asked(jury[0], told, of).pk}/pictures/0")
    assert seen["Content-Type"] == "image/webp"
    assert b"Lovelace" not in seen.content
    assert b"Exif" not in seen.content
    assert b"Lovelace" in default_storage.open(told.uploads.first().file.name).read()


def test_pages_that_name_artists_are_closed_to_jurors(olga, jury, told):
    """The control: they are open to organisers."""
    rooms = ("call", f"call/{told.pk}", "trail", "people", "mail", "exports", "data", "programme", "places", "doors")
    paths = [f"/backstage/{room}" for room in rooms]
    clients = {user.username: Client() for user in (olga, jury[0])}
    for user in (olga, jury[0]):
        clients[user.username].force_login(user)
    answers = {path: [clients[name].get(path).status_code for name in ("olga", "ana")] for path in paths}
    assert {path: said for path, said in answers.items() if said != [200, 403]} == {}


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("José Núñez", "by JOSE\u0301 NU\u0301N\u0303EZ and José", "by [name] and [name]"),
        ("田中 花子", "私は田中です。花子。", "私は田中です。花子。"),
        ("田中花子", "作者は田中花子です", "作者は[name]です"),
        ("Ann", "Annual rings, by Ann.", "Annual rings, by [name]."),
        ("May Rose", "A rose in may. Rose did it.", "A rose in may. [name] did it."),
        ("Bo Li", "Bo and Li were here: Bo Li", "Bo and Li were here: [name]"),
        ("a.*b", "a.*b axxb", "[name] axxb"),
        ("أحمد علي", "من عمل أحمد علي هنا", "من عمل [name] هنا"),
    ],
)
def test_names_are_taken_out_whole(name, text, masked):
    """Too short a part is no name: "Li" would take words apart."""
    assert Mask(application("Work", name)).text(text) == masked


def test_names_are_found_inside_links():
    mask = Mask(application("Work", "José Núñez", "jnunez99@mail.org", artist="Studio Ñ"))
    assert mask.named_in("https://jose-nunez.art")
    assert mask.named_in("https://instagram.com/JNunez99/")
    assert not mask.named_in("https://looms.example/7")


def test_an_application_that_was_erased_is_seen_no_more(olga, jury, told):
    of = phase(olga)
    assigning.assign(olga, of.pk, told.pk, seat(jury[0]).pk)
    client = Client()
    client.force_login(jury[0])
    page = f"/backstage/jury/judge/{asked(jury[0], told, of).pk}"
    assert client.get(page).status_code == 200
    Submission.objects.filter(pk=told.pk).update(state="withdrawn")
    assert [client.get(path).status_code for path in (page, f"{page}/pictures/0")] == [409, 409]
