"""Searching what hangs: by words, by a work, by a picture; on the real database, with a tiny CLIP."""

import io
import runpy
import zlib
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image as Picture

from salon.core.errors import BadRecipe
from salon.core.recipe import DiffusionOptions, Recipe
from salon.engine import registry
from salon.judge import clip
from salon.web.events.domain import current_event
from salon.web.events.models import Event
from salon.web.gallery.domain import curating, proposing, searching, uploads
from salon.web.gallery.models import Embedding, Work
from salon.web.people.models import User
from salon.web.station.domain.intake import store
from salon.web.station.models import Image, Request

pytestmark = pytest.mark.django_db(transaction=True)
TINY = runpy.run_path(str(Path(__file__).parents[1] / "judge" / "tiny_clip.py"))
ADA = "a" * 32
RED, DARK_RED, GREEN, BLUE = (220, 30, 30), (150, 20, 30), (30, 200, 40), (30, 40, 220)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folders = [tmp_path_factory.mktemp("weights") for _ in range(2)]
    for seed, folder in enumerate(folders):
        TINY["clip"](folder, seed=seed)
    return folders


@pytest.fixture(autouse=True)
def _house(first_event, tmp_path, settings, weights, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "images"
    monkeypatch.setattr(searching, "LONGEST", 600.0)  # a busy machine is no reason to fail
    monkeypatch.setattr(registry, "weights_folders", lambda: [weights[0]])
    clip.forget_clip()
    yield
    clip.forget_clip()


@pytest.fixture
def client():
    return Client(headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def curator():
    return User.objects.create_user("cora", is_staff=True)


def png(colour, size=(256, 256)):
    file = io.BytesIO()
    Picture.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def hang():
    """Hangs a picture of one colour; a seed names it."""

    def hung(colour=RED, seed=0, title="Fox", visitor=ADA):
        options = DiffusionOptions(num_inference_steps=4, guidance_scale=3.0, sampler="euler")
        recipe = Recipe(model="tiny", weights="cd" * 32, prompt="a fox", seed=seed, stages={"base": options})
        request = store(current_event(), visitor, None, (recipe,))
        name = default_storage.save(f"x/{recipe.id}.png", ContentFile(png(colour)))
        Image.objects.filter(id=recipe.id).update(file=name)
        Request.objects.filter(id=request.id).update(state=Request.State.FINISHED)
        fields = {"visitor": visitor, "title": title, "state": Work.State.HUNG, "hung_at": timezone.now()}
        return Work.objects.create(event=current_event(), image_id=recipe.id, **fields)

    return hung


@pytest.fixture
def four(hang):
    """Four works by name."""
    colours = {"red": RED, "dark": DARK_RED, "green": GREEN, "blue": BLUE}
    return {name: hang(colour, seed, name) for seed, (name, colour) in enumerate(colours.items())}


def titles(found):
    return [work.title for work, _ in found.works]


@pytest.fixture
def looks(monkeypatch):
    """How many pictures CLIP looked at, call by call."""
    counts, see = [], clip.see

    def counted(pictures):
        kept = list(pictures)
        counts.append(len(kept))
        return see(kept)

    monkeypatch.setattr(clip, "see", counted)
    return counts


def test_words_find_what_they_name(four):
    for word, first in (("red", "red"), ("green", "green"), ("blue", "blue")):
        found = searching.by_words(current_event(), word)
        assert titles(found)[0] == first
        cosines = [cosine for _, cosine in found.works]
        assert cosines == sorted(cosines, reverse=True)
        assert (found.compared, found.hanging) == (4, 4)
    assert titles(searching.by_words(current_event(), "red"))[1] == "dark"


def test_the_order_is_that_of_the_cosines_computed_at_once(four):
    model = clip.load_clip()
    pictures = clip.pixels(Picture.open(io.BytesIO(png(c))) for c in (RED, DARK_RED, GREEN, BLUE))
    expected = (model.encode_image(pictures) @ model.encode_text(["a lamp"]).T)[:, 0]
    found = searching.by_words(current_event(), "a lamp")
    names = ["red", "dark", "green", "blue"]
    assert titles(found) == [names[i] for i in np.argsort(-expected)]
    assert np.allclose([c for _, c in found.works], np.sort(expected)[::-1], atol=2e-3)  # float16


def test_a_picture_finds_its_like_and_a_work_does_not_find_itself(four, hang):
    event = current_event()
    assert titles(searching.by_picture(event, Picture.new("RGB", (90, 300), (140, 25, 28))))[0] == "dark"
    twin = hang(RED, 0, "twin", "b" * 32)  # somebody else's work of the same image
    found = searching.like(event, four["red"])
    assert titles(found) == ["dark", *[t for t in titles(found) if t not in ("dark", "red", "twin")]]
    assert len(found.works) == 3
    assert {"red", "twin"} <= set(titles(searching.by_words(event, "red"))[:2])
    assert twin.image_id == four["red"].image_id


def test_nothing_is_found_that_does_not_hang(four, curator):
    """Pulled, withdrawn, removed, withheld, of another day; each is found before it happens."""
    event = current_event()

    def named():
        return set(titles(searching.by_words(event, "red")))

    assert named() == {"red", "dark", "green", "blue"}
    curating.decide(curator, four["green"].id, "pulled")
    assert named() == {"red", "dark", "blue"}
    curating.remove(curator, four["blue"].image_id)
    assert named() == {"red", "dark"}
    assert not Embedding.objects.filter(image_id=four["blue"].image_id).exists()
    Work.objects.filter(id=four["blue"].id).update(state="hung")  # whatever its state says: it is kept back
    assert named() == {"red", "dark"}
    Image.objects.filter(id=four["dark"].image_id).update(withheld="filter")
    assert named() == {"red"}
    other = Event.objects.create(slug="other", name="Other")
    Work.objects.filter(id=four["red"].id).update(event=other)
    assert named() == set()
    assert titles(searching.by_words(other, "red")) == ["red"]


def test_each_picture_is_looked_at_once(four, hang, looks):
    event = current_event()
    searching.by_words(event, "red")
    assert looks == [4]
    searching.by_words(event, "blue")
    searching.like(event, four["red"])
    assert looks == [4]
    hang(GREEN, 9, "late")
    assert "late" in titles(searching.by_words(event, "green"))
    assert looks == [4, 1]
    Embedding.objects.all().delete()  # the control: without what was kept they are looked at again
    searching.by_words(event, "red")
    assert looks == [4, 1, 5]


def test_other_weights_look_anew(four, weights, looks, monkeypatch):
    event = current_event()
    searching.by_words(event, "red")
    before = {row.image_id: bytes(row.vector) for row in Embedding.objects.all()}
    monkeypatch.setattr(registry, "weights_folders", lambda: [weights[1]])
    clip.forget_clip()
    assert titles(searching.by_words(event, "red"))[0] == "red"
    assert looks == [4, 4]
    rows = Embedding.objects.all()
    assert {row.weights for row in rows} == {clip.installed_clip().weights}
    assert {row.image_id for row in rows} == set(before)
    assert all(len(row.vector) == 512 and bytes(row.vector) != before[row.image_id] for row in rows)


def test_a_search_looks_at_so_many_at_most_newest_first(four, looks, monkeypatch):
    event = current_event()
    monkeypatch.setattr(searching, "MOST_NEW", 3)
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    found = searching.by_words(event, "red")
    assert looks == [2, 1]
    assert (found.compared, found.hanging) == (3, 4)
    assert set(titles(found)) == {"dark", "green", "blue"}
    assert searching.by_words(event, "red").compared == 4
    Embedding.objects.all().delete()
    monkeypatch.setattr(searching, "LONGEST", 0.0)
    assert searching.by_words(event, "red").works == []
    monkeypatch.setattr(searching, "LONGEST", 600.0)
    with searching._looking:  # while somebody else's search looks
        assert searching.by_words(event, "red").compared == 0
    assert searching.by_words(event, "red").compared == 3


def test_a_broken_file_stops_nothing(four):
    for name, data in (("green", b"no picture"), ("blue", None)):
        file = Image.objects.get(id=four[name].image_id).file
        path = Path(default_storage.path(file))
        path.write_bytes(data) if data else path.unlink()
    found = searching.by_words(current_event(), "red")
    assert titles(found) == ["red", "dark"]
    assert (found.compared, found.hanging) == (2, 4)


def test_what_was_taken_away_while_it_was_looked_at_is_not_kept(four, monkeypatch):
    see = clip.see

    def slow(pictures):
        Image.objects.filter(id=four["red"].image_id).update(file="", withheld="house")
        Work.objects.filter(id=four["blue"].id).delete()
        Image.objects.get(id=four["blue"].image_id).drawings.all().delete()
        Image.objects.filter(id=four["blue"].image_id).delete()
        return see(pictures)

    monkeypatch.setattr(clip, "see", slow)
    assert set(titles(searching.by_words(current_event(), "red"))) == {"dark", "green"}
    assert Embedding.objects.count() == 2


def test_forgetting_takes_what_was_seen_along(four):
    """An embedding holds no image back. Control: a work of somebody else does."""
    kept = Work.objects.create(event=current_event(), image_id=four["red"].image_id, visitor="b" * 32, title="B")
    searching.by_words(current_event(), "red")
    assert Embedding.objects.count() == 4
    proposing.forget(ADA)
    assert list(Image.objects.values_list("id", flat=True)) == [kept.image_id]
    assert list(Embedding.objects.values_list("image_id", flat=True)) == [kept.image_id]


def test_ten_thousand_works_are_searched_without_reading_a_file(hang, django_assert_max_num_queries, monkeypatch):
    first = hang(RED, 0)
    source, event = first.image, current_event()
    names = [f"{i:032x}" for i in range(10_000)]
    fields = {"event": event, "recipe_json": source.recipe_json, "width": 256, "height": 256, "file": source.file}
    Image.objects.bulk_create([Image(id=name, **fields) for name in names], batch_size=2000)
    hung = {"event": event, "visitor": ADA, "title": "t", "state": "hung", "hung_at": timezone.now()}
    Work.objects.bulk_create([Work(image_id=name, **hung) for name in names], batch_size=2000)
    searching.by_words(event, "red")
    vectors = np.random.default_rng(0).standard_normal((len(names), 256))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = clip.installed_clip().weights
    Embedding.objects.all().delete()
    rows = [
        Embedding(image_id=name, weights=weights, vector=vector.astype("<f2").tobytes())
        for name, vector in zip([*names, source.id], [*vectors, -clip.load_clip().encode_text(["red"])[0]])
    ]
    Embedding.objects.bulk_create(rows, batch_size=2000)
    opened = []
    monkeypatch.setattr(default_storage, "open", lambda *a: opened.append(a))
    with django_assert_max_num_queries(8):
        found = searching.by_words(event, "red")
    assert (found.compared, found.hanging, len(found.works)) == (10_001, 10_001, searching.SHOWN)
    assert opened == []
    scores = vectors @ clip.load_clip().encode_text(["red"])[0]
    assert np.allclose([c for _, c in found.works[:10]], np.sort(scores)[::-1][:10], atol=2e-3)


# The page


def test_the_page_finds_and_says_what_it_knows(four, client):
    page = client.get("/gallery").content.decode()
    assert 'role="search"' in page
    answer = client.get("/gallery/search", {"q": "  red\u202e "})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.index(four["red"].id) < page.index(four["blue"].id)
    assert page.count('class="piece"') == 4
    assert 'value="red"' in page
    assert "sandbox world alone" in page
    assert "from outside this world" not in page
    work = client.get(f"/works/{four['red'].id}").content.decode()
    assert f"/gallery/search?like={four['red'].id}" in work
    alike = client.get("/gallery/search", {"like": four["red"].id}).content.decode()
    assert alike.count('class="piece"') == 3
    assert client.get("/gallery/search", {"like": "nobody"}).status_code == 404
    Work.objects.filter(id=four["red"].id).update(state="pulled")
    assert client.get("/gallery/search", {"like": four["red"].id}).status_code == 404


@pytest.mark.parametrize(
    "words",
    ["", "   ", "\u202e\u0000", "'; DROP TABLE gallery_work; --", "🦊" * 300, "%s%d{}", "<script>alert(1)</script>",
     "ﷺ" * 999, "../../etc/passwd", "a" * 1000],
)  # fmt: skip
def test_strange_words_are_only_words(four, client, words):
    answer = client.get("/gallery/search", {"q": words})
    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert answer.content.count(b'class="piece"') == (4 if words.strip(" \u202e\0") else 0)
    assert Work.objects.count() == 4


def test_too_many_words_are_told(four, client):
    answer = client.get("/gallery/search", {"q": "x" * 10_000})
    assert answer.status_code == 400
    assert "These are 10000 characters; at most 1000" in answer.content.decode()
    assert client.get("/gallery/search?q=%ff%fe").status_code == 200


def test_without_clip_there_is_a_sentence_and_the_gallery_goes_on(four, client, tmp_path, weights, monkeypatch):
    for folder, word in ((tmp_path / "nothing", "is not installed"), (tmp_path / "broken", "is damaged")):
        folder.mkdir()
        if word == "is damaged":
            (TINY["clip"](folder) / "text.onnx").write_bytes(b"no graph")
        monkeypatch.setattr(registry, "weights_folders", lambda folder=folder: [folder])
        clip.forget_clip()
        for path, status in (("/gallery", 200), ("/gallery/search?q=red", 503), (f"/works/{four['red'].id}", 200)):
            answer = client.get(path)
            page = answer.content.decode()
            assert answer.status_code == status, path
            assert 'role="search"' not in page
            assert "/gallery/search?like" not in page
            assert (word in page) == ("works" not in path)
    monkeypatch.setattr(registry, "weights_folders", lambda: [weights[0]])
    clip.forget_clip()
    assert client.get("/gallery/search?q=red").status_code == 200


def test_a_clip_that_breaks_when_it_is_opened_is_said_too(four, client, tmp_path, monkeypatch):
    here = TINY["clip"](tmp_path / "weights")
    (here / "image.onnx").write_bytes(b"no graph, though its card says so")
    TINY["card"](here)
    monkeypatch.setattr(registry, "weights_folders", lambda: [here.parent])
    clip.forget_clip()
    assert b'role="search"' in client.get("/gallery").content
    for path, status in (("/gallery/search?q=red", 503), ("/gallery", 200)):
        answer = client.get(path)
        assert (answer.status_code, b"is damaged" in answer.content) == (status, True)


def test_an_empty_gallery_has_nothing_to_search(client):
    assert b'role="search"' not in client.get("/gallery").content
    assert "can be compared yet" in client.get("/gallery/search?q=red").content.decode()


# Pictures that are shown to it


def send(client, data, name="p.png", kind="image/png"):
    return client.post("/gallery/search", {"picture": SimpleUploadedFile(name, data, kind)})


def encoded(form, size=(300, 200), mode="RGB", colour=RED, **more):
    file = io.BytesIO()
    Picture.new(mode, size, colour).save(file, form, **more)
    return file.getvalue()


def test_a_picture_finds_and_nothing_of_it_is_kept(four, client, tmp_path):
    rows = {model: model.objects.count() for model in (Image, Work, Request)}
    client.get("/gallery/search?q=red")
    files = sorted(tmp_path.rglob("*"))
    for data in (encoded("PNG"), encoded("JPEG"), encoded("WEBP"), encoded("PNG", mode="RGBA", colour=(*RED, 255))):
        answer = send(client, data, "../../x.svg", "text/html")  # names and kinds of the sender's are not believed
        page = answer.content.decode()
        assert answer.status_code == 200
        assert page.index(four["red"].id) < page.index(four["dark"].id) < page.index(four["blue"].id)
        assert "from outside this world" in page
        assert "x.svg" not in page
    assert {model: model.objects.count() for model in rows} == rows
    assert Embedding.objects.count() == 4
    assert sorted(tmp_path.rglob("*")) == files


def test_a_small_photo_lies_as_it_was_taken_like_a_large_one_that_the_browser_makes_small(four):
    exif = Picture.Exif()
    exif[0x0112], exif[0x010E] = 3, "turn me"
    turned = Picture.new("RGB", (64, 64), "red")
    turned.paste("blue", (0, 0, 64, 32))
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif, quality=95)
    read = uploads.read(SimpleUploadedFile("a.jpg", file.getvalue()))
    assert read.getpixel((5, 5))[0] > 200
    assert read.getpixel((5, 60))[2] > 200  # the file's own rows begin with blue: held upside down
    assert read.info == {}  # and nothing else of what it said


def bomb(width, height):
    """A PNG of a few kB that says it has so many pixels."""

    def chunk(name, data):
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "empty": (b"", "is empty"),
    "text": (b"<?php system($_GET['c']); ?>", "cannot be read"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "cannot be read"),
    "half": (encoded("JPEG")[:400], "cannot be read"),
    "half png": (encoded("PNG")[:-40], "cannot be read"),
    "gif": (encoded("GIF", mode="L", colour=3), "cannot be read"),
    "tiff": (encoded("TIFF", (50, 50)), "cannot be read"),
    "bmp": (encoded("BMP", (20, 20)), "cannot be read"),
    "heic": (bytes(4) + b"ftypheic" + bytes(90), "choose it from Photos"),
    "huge": (b"\x89PNG\r\n\x1a\n" + bytes(70_000), "larger than 60 kB"),
    "enormous": (bytes(3_000_000), "larger than 60 kB"),
    "pixels": (encoded("PNG", (2001, 2000)), "2001 × 2000 pixels"),
    "bomb": (bomb(2**15, 2**15), "more pixels"),
    "flat": (bomb(30_000, 100), "cannot be read"),
    "nothing": (bomb(0, 0), "cannot be read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_sentence(four, client, name):
    data, sentence = HOSTILE[name]
    answer = send(client, data)
    page = answer.content.decode()
    assert answer.status_code == 400, page
    assert sentence in page
    assert "Traceback" not in page
    assert 'id="picture"' in page  # one can try again


def test_no_file_and_foreign_forms(four, client):
    assert client.post("/gallery/search").status_code == 400
    assert client.post("/gallery/search", {"picture": "words"}).status_code == 400
    broken = client.post("/gallery/search", b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 400
    elsewhere = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert send(elsewhere, encoded("PNG")).status_code == 403
    assert client.put("/gallery/search").status_code == 405


def test_the_limits_are_what_stops_them(monkeypatch):
    """Controls: with the limits off the same files are read."""
    for name, data in (("MOST_PIXELS", HOSTILE["pixels"][0]), ("MOST_BYTES", encoded("BMP", (200, 200)))):
        with pytest.raises(BadRecipe):
            uploads.read(SimpleUploadedFile("a", data))
        monkeypatch.setattr(uploads, name, 10**9)
        monkeypatch.setattr(uploads, "FORMATS", (*uploads.FORMATS, "BMP"))
        assert uploads.read(SimpleUploadedFile("a", data)).size


def test_a_search_costs_few_queries(four, client):
    client.get("/gallery/search?q=red")
    with CaptureQueriesContext(connection) as queries:
        searching.by_words(current_event(), "red")
    assert len(queries) <= 6
