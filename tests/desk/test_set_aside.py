"""The desk trusts no row to be there: what is forgotten, removed or damaged between two looks stops nobody else, and
leaves nothing behind. Real rows, real files, the real dispatcher; the engine is a list of what it was asked."""

import asyncio
import errno
import json
import os
import sys
import threading
import time

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from salon.core import update as u
from salon.core.errors import BadRecipe, EngineUnavailable
from salon.core.hashing import bytes_hash
from salon.core.recipe import DiffusionOptions, PlainOptions, Recipe
from salon.desk import child, dispatcher, house, store
from salon.web import leftovers
from salon.web.events import demo
from salon.web.events.models import Event
from salon.web.gallery.domain import proposing
from salon.web.line import EngineState
from salon.web.people.links import keeper
from salon.web.station.domain import files, intake, state
from salon.web.station.models import Drawing, Image, Request

ADA, BOB = "a" * 32, "b" * 32
GREY = {"width": 8, "height": 8, "rgb": b"\x80" * 192}


@pytest.fixture(autouse=True)
def _event(transactional_db, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "images"
    Event.objects.get_or_create(slug="salon", defaults={"name": "Latent Salon", "current": True})


def recipe(prompt="a red fox", seed=1, **more):
    stages = {"diffusion": DiffusionOptions(num_inference_steps=4, guidance_scale=3.0, sampler="euler")}
    stages["upscale"] = PlainOptions()
    return Recipe(model="tiny", weights="cd" * 32, prompt=prompt, seed=seed, stages=stages, **more)


def ask(visitor=ADA, prompt="a red fox", seeds=(1,), **more):
    event = Event.objects.get(current=True)
    return intake.store(event, visitor, None, tuple(recipe(prompt, seed) for seed in seeds), **more)


class Easel:
    """An engine that remembers what it is asked."""

    def __init__(self):
        self.orders, self.cancelled = {}, []

    async def submit(self, order):
        self.orders[order.id] = order

    async def cancel(self, request):
        self.cancelled.append(request)


class Desk:
    """A dispatcher at work, what it tells, and a hand that draws."""

    def __init__(self):
        self.easel, self.told = Easel(), []
        self.dispatcher = dispatcher.Dispatcher(self.easel, lambda *what: self.told.append(what))

    async def until(self, condition):
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, (self.told, self.easel.orders)
            self.dispatcher.look()
            await asyncio.sleep(0.01)

    async def asked(self, *requests):
        await self.until(lambda: all(request.id in self.easel.orders for request in requests))

    async def ended(self, *requests):
        await self.until(lambda: {request.id for request in requests} <= set(self.tags()))

    def tags(self):
        return {request: event.tag for request, event in self.told if event.final}

    def draw(self, request, start=True):
        if start:
            self.dispatcher.take(u.Started(request=request.id))
        images = tuple(u.Picture(index=i, **GREY) for i, _ in enumerate(self.easel.orders[request.id].recipes))
        self.dispatcher.take(u.Finished(request=request.id, images=images, seconds=0.5))


def at_work(story):
    """Runs `story(desk)` beside the dispatcher, which has an engine."""

    async def run():
        desk = Desk()
        await desk.dispatcher.engine_ready(EngineState("ready"))
        desk.dispatcher._newest = None  # no first draws of the house
        task = asyncio.create_task(desk.dispatcher.run())
        try:
            await story(desk)
            assert not task.done(), "the desk went on to the end"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            desk.dispatcher.close()
        return desk

    return asyncio.run(run())


def elsewhere(function, *arguments):
    """On a connection of its own, as web does it."""
    from django.db import connection

    answer = []

    def do():
        try:
            answer.append(function(*arguments))
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    return answer[0]


def stored():
    """Names of all files that lie with the pictures."""
    root = default_storage.location
    return sorted(os.path.join(os.path.relpath(at, root), name) for at, _, names in os.walk(root) for name in names)


def trusting(known, limit):
    """The look at the rows as it was before: it trusts what it finds."""
    rows = Request.objects.filter(state__in=Request.OPEN).exclude(id__in=known).order_by("created_at", "id")[:limit]
    drawings = {}
    for drawing in store.Drawing.objects.filter(request__in=list(rows)).select_related("image").order_by("index"):
        drawings.setdefault(drawing.request_id, []).append(drawing)
    return store.Waiting([store._order(row, drawings[row.id]) for row in rows], [])


class Between:
    """Stands for the table of drawings and does something at the first look at it: between the two queries."""

    def __init__(self, deed):
        self.objects, self.deed, self.done = self, deed, False

    def filter(self, **which):
        if rows := list(which.get("request__in", [])):
            which["request__in"] = rows  # looked at before the deed
            if not self.done:
                self.done = True
                elsewhere(self.deed)
        return Drawing.objects.filter(**which)


@pytest.mark.parametrize("careful", [True, False])
def test_forgetting_between_two_looks_stops_nobody(monkeypatch, caplog, careful):
    mine, others = ask(ADA), ask(BOB, seeds=(2,))
    monkeypatch.setattr(store, "Drawing", Between(lambda: proposing.forget(ADA)))
    if not careful:
        monkeypatch.setattr(store, "waiting_orders", trusting)

    async def story(desk):
        await desk.asked(others)
        desk.draw(others)
        await desk.ended(others)

    desk = at_work(story)
    assert desk.tags()[others.id] == "finished"
    assert mine.id not in desk.easel.orders
    # the control: a look that trusts its rows fails as a whole, and the house closed for it
    assert ("a look at the rows failed" in caplog.text) is not careful
    assert Request.objects.get(id=mine.id).state == "cancelled"


@pytest.mark.parametrize("careful", [True, False])
def test_a_damaged_row_is_set_aside_and_says_so(monkeypatch, client, careful):
    damaged, whole = ask(ADA), ask(BOB, seeds=(2,))
    Image.objects.filter(id=recipe().id).update(recipe_json='{"prompt": 7}')
    if not careful:
        monkeypatch.setattr(store, "waiting_orders", trusting)

    async def story(desk):
        await desk.until(lambda: desk.tags() if careful else desk.dispatcher.trouble)
        if careful:
            await desk.asked(whole)

    desk = at_work(story)
    assert (whole.id in desk.easel.orders) is careful
    if careful:
        assert desk.tags() == {damaged.id: "failed"}
        told = state.state_of(Request.objects.get(id=damaged.id))
        assert (told["state"], told["message"]) == ("failed", store.ASIDE)


def test_a_request_without_drawings_is_set_aside():
    bare = ask()
    Drawing.objects.filter(request=bare).delete()
    assert store.waiting_orders([], 9) == ([], [bare.id])
    assert Request.objects.get(id=bare.id).why == store.ASIDE
    assert store.waiting_orders([], 9) == ([], [])


def test_the_demo_event_is_removed_while_it_draws_and_the_engine_dies():
    person = keeper()
    demo.make(person)
    mine = ask(ADA, prompt="a lighthouse", seeds=(1, 2))

    async def story(desk):
        await desk.asked(mine)
        desk.dispatcher.take(u.Started(request=mine.id))
        await asyncio.to_thread(elsewhere, demo.remove, person)
        await desk.dispatcher.engine_died()
        await desk.ended(mine)  # whoever watches is told
        await desk.dispatcher.engine_ready(EngineState("ready"))
        desk.dispatcher._newest = None
        later = await asyncio.to_thread(elsewhere, ask, BOB)
        await desk.asked(later)
        desk.draw(later)
        await desk.ended(later)
        assert desk.tags()[later.id] == "finished"

    desk = at_work(story)
    assert desk.tags()[mine.id] == "cancelled"
    assert not Request.objects.filter(id=mine.id).exists()
    assert not Image.objects.filter(recipe_json__contains="lighthouse").exists()


def test_what_nobody_foresaw_is_set_aside_alone(monkeypatch):
    """Whichever call of the rows goes wrong for one request, the others are drawn."""
    one, other = ask(ADA), ask(BOB, seeds=(2,))

    def fails_for_one(function):
        def call(request, *rest):
            if request == one.id:
                raise LookupError("nobody foresaw this")
            return function(request, *rest)

        return call

    for name in ("keep", "count_attempt"):
        monkeypatch.setattr(store, name, fails_for_one(getattr(store, name)))

    async def story(desk):
        await desk.asked(one, other)
        for request in (one, other):
            desk.draw(request)
        await desk.ended(one, other)

    assert at_work(story).tags() == {one.id: "failed", other.id: "finished"}
    assert Request.objects.get(id=one.id).why == store.ASIDE

    async def dies(desk):
        await desk.asked(one, other)
        for request in (one, other):
            desk.dispatcher.take(u.Started(request=request.id))
        await desk.dispatcher.engine_died()
        await desk.ended(one)
        assert other.id in desk.dispatcher.flights

    Request.objects.update(state="waiting", attempts=0)
    at_work(dies)


def test_a_failure_that_cannot_be_noted_is_not_tried_for_ever(monkeypatch):
    one = ask(ADA)
    monkeypatch.setattr(store, "keep", lambda *_: 1 / 0)
    monkeypatch.setattr(store, "mark_ended", lambda *_: 1 / 0)

    async def story(desk):
        await desk.asked(one)
        desk.draw(one)
        await desk.ended(one)
        desk.easel.orders.clear()
        other = await asyncio.to_thread(elsewhere, ask, BOB, "a cat", (5,))
        await desk.asked(other)
        assert one.id not in desk.easel.orders

    assert at_work(story).tags()[one.id] == "failed"


def test_an_engine_that_takes_no_message_is_asked_again():
    one = ask(ADA)

    async def story(desk):
        easel, refused = desk.easel, []

        async def submit(order):
            if not refused:
                refused.append(order.id)
                raise EngineUnavailable("no more messages")
            easel.orders[order.id] = order

        easel.submit = submit
        await desk.asked(one)
        assert refused == [one.id]

    at_work(story)


@pytest.mark.parametrize("room", [True, False])
def test_one_file_that_cannot_be_written_does_not_hold_the_others(monkeypatch, room):
    """Without room everyone waits and nothing is given up; with room it is this one's own trouble."""
    one, other = ask(ADA), ask(BOB, seeds=(2,))
    write, tries = store._write, []

    def broken(image_id, data):
        if image_id == recipe().id:
            tries.append(image_id)
            raise PermissionError(errno.EACCES, "not allowed", image_id)
        return write(image_id, data)

    monkeypatch.setattr(store, "_write", broken)
    monkeypatch.setattr(dispatcher, "FULL_PAUSE", 0)
    monkeypatch.setattr(dispatcher, "can_write", lambda: room)

    async def story(desk):
        await desk.asked(one, other)
        desk.draw(one)
        if room:
            await desk.ended(one)
            assert not desk.dispatcher.full
        else:
            await desk.until(lambda: len(tries) > 3 * dispatcher.MOST_TRIES)
            assert desk.dispatcher.full
            assert not desk.tags()
            monkeypatch.setattr(store, "_write", write)
            await desk.ended(one)
        desk.draw(other)
        await desk.ended(other)

    assert at_work(story).tags() == {one.id: "failed" if room else "finished", other.id: "finished"}


# What is forgotten leaves no file


@pytest.mark.parametrize("careful", [True, False])
def test_forgetting_meets_finishing_and_no_file_is_left(monkeypatch, careful):
    mine, both = ask(ADA, seeds=(1, 2)), ask(BOB, seeds=(2,))
    write, met = store._write, []

    def written(image_id, data):
        name = write(image_id, data)
        if len(stored()) == 2 and not met:
            met.append(elsewhere(proposing.forget, ADA))
        return name

    monkeypatch.setattr(store, "_write", written)
    if not careful:
        monkeypatch.setattr(leftovers, "discard", lambda names: 0)
    store.keep(mine.id, [(recipe(seed=seed).id, b"PNG %d" % seed) for seed in (1, 2)], [], 1.0)
    assert met
    kept, forgotten = (files.file_name(recipe(seed=seed).id) for seed in (2, 1))
    assert stored() == ([kept] if careful else sorted([kept, forgotten]))
    assert Image.objects.get().file == kept, "what another asked for, too, is hung"
    assert store.waiting_orders([], 9).orders[0].id == both.id


@pytest.mark.parametrize("careful", [True, False])
def test_an_erasing_that_comes_late_takes_no_file_of_a_new_row(monkeypatch, careful):
    """A visitor's forgetting is committed, another asks for the same, it is drawn, and only then the file is erased."""
    first = ask(ADA)
    store.keep(first.id, [(recipe().id, b"PNG")], [], 1.0)
    late = []
    monkeypatch.setattr("salon.web.station.domain.erasing.discard_later", late.extend)
    proposing.forget(ADA)
    again, write = ask(BOB), store._write

    def written(image_id, data):
        name = write(image_id, data)
        if late:
            erase = leftovers.discard if careful else lambda names: [default_storage.delete(name) for name in names]
            elsewhere(erase, [late.pop()])
        return name

    monkeypatch.setattr(store, "_write", written)
    if not careful:
        monkeypatch.setattr(store.default_storage, "exists", lambda name: True)
    store.keep(again.id, [(recipe().id, b"PNG")], [], 1.0)
    monkeypatch.undo()
    assert Image.objects.get().present is careful


def test_a_later_erasing_leaves_what_a_row_names():
    first = ask(ADA)
    store.keep(first.id, [(recipe().id, b"PNG")], [], 1.0)
    name = files.file_name(recipe().id)
    assert leftovers.discard([name]) == 0
    assert stored() == [name]
    Image.objects.update(file="")
    assert leftovers.discard([name]) == 1
    assert stored() == []


def test_a_try_that_found_no_room_leaves_nothing_when_its_visitor_goes(monkeypatch):
    mine = ask(ADA)
    drawn = [(recipe().id, b"PNG")]
    with monkeypatch.context() as patch:
        patch.setattr(store, "_hang", lambda *_: (_ for _ in ()).throw(OperationalError("database or disk is full")))
        with pytest.raises(OperationalError):
            store.keep(mine.id, drawn, [], 1.0)
    assert stored(), "the first try wrote its file"
    proposing.forget(ADA)
    store.keep(mine.id, drawn, [], 1.0)
    assert stored() == []


def test_what_a_kill_left_is_swept_away_at_the_start():
    mine = ask(ADA)
    store.keep(mine.id, [(recipe().id, b"PNG")], [], 1.0)
    kept = files.file_name(recipe().id)
    default_storage.save(files.file_name("0" * 32), store.ContentFile(b"PNG of nobody"))
    part = os.path.join(default_storage.location, kept[:2], ".abc.part")
    with open(part, "wb") as half:
        half.write(b"PN")
    default_storage.save("given/other.txt", store.ContentFile(b"no picture"))
    assert leftovers.sweep() == 1
    assert os.path.exists(part), "somebody may be writing it"
    Request.objects.update(state="running")
    store.begin()
    assert stored() == sorted([kept, "given/other.txt"])
    assert Request.objects.get().state == "waiting"


def test_a_folder_that_cannot_be_read_keeps_nobody_from_drawing(monkeypatch):
    refused = PermissionError(errno.EACCES, "not allowed")
    monkeypatch.setattr(leftovers, "_found", lambda: (_ for _ in ()).throw(refused))
    Request.objects.filter(id=ask().id).update(state="running")
    store.begin()
    assert Request.objects.get().state == "waiting"


def test_nobody_waits_for_updates_of_a_request_that_is_over():
    one = ask(ADA)

    async def story(desk):
        await desk.asked(one)
        flight = desk.dispatcher.flights[one.id]
        desk.dispatcher.take(u.Started(request=one.id))
        await asyncio.to_thread(elsewhere, lambda: Request.objects.filter(id=one.id).update(attempts=9) or 0)
        await desk.dispatcher.engine_died()  # given up
        await desk.ended(one)
        await asyncio.wait([flight.task], timeout=20)
        assert flight.task.done()

    assert at_work(story).tags() == {one.id: "failed"}


def test_a_house_that_never_drew_has_nothing_to_sweep():
    assert leftovers.sweep() == 0


# All of an order comes from its rows


def test_an_order_keeps_what_its_row_says():
    begun = b"a picture to begin with"
    digest = bytes_hash(begun)
    event = Event.objects.get(current=True)
    one = recipe(inputs={"image": digest})
    rows = intake.store(event, ADA, None, (one,), "background", trace=True, inputs={digest: begun})
    (order,) = store.waiting_orders([], 9).orders
    assert (order.audience, order.trace, order.inputs) == ("background", True, {digest: begun})
    plain = ask(BOB)
    order = next(order for order in store.waiting_orders([], 9).orders if order.id == plain.id)
    assert (order.trace, order.inputs) == (False, {})
    with pytest.raises(BadRecipe, match="not kept"):
        intake.recipes_of(intake.Ask(image=one.id), EngineState())
    for end in (intake.cancel, lambda row: store.mark_ended(row.id, "failed", "", ""), lambda row: done(row, one)):
        Request.objects.filter(id=rows.id).update(state="running", inputs=b"\x80")
        end(rows)
        assert bytes(Request.objects.get(id=rows.id).inputs) == b"", "a person's picture is kept no longer than needed"


def done(row, drawn):
    store.keep(row.id, [(drawn.id, b"PNG")], [], 1.0)


def test_what_happens_inside_is_told_to_who_asked():
    one = ask(ADA, trace=True)

    async def story(desk):
        await desk.asked(one)
        desk.dispatcher.take(u.Started(request=one.id))
        inner = u.Tensor(name="attention", index=0, shape=(1, 2), dtype="float16", data=b"\0\1\2\3")
        desk.dispatcher.take(u.Trace(request=one.id, stage="diffusion", step=1, tensors=(inner,)))
        desk.draw(one, start=False)
        await desk.ended(one)

    told = [json.loads(event.data) for _, event in at_work(story).told if event.tag == "trace"]
    assert told == [
        {
            "request": one.id,
            "stage": "diffusion",
            "step": 1,
            "tensors": [{"name": "attention", "index": 0, "shape": [1, 2], "dtype": "float16", "data": "AAECAw=="}],
        }
    ]


# Duties


def test_a_duty_that_goes_wrong_begins_again(monkeypatch):
    monkeypatch.setattr(house, "FIRST_WAIT", 0)
    turns = []

    async def duty():
        turns.append(1)
        if len(turns) < 3:
            raise ZeroDivisionError

    asyncio.run(house._House._duty(None, duty))
    assert len(turns) == 3


def test_whoever_hears_of_a_child_may_fail_and_there_is_never_a_second_one(monkeypatch):
    monkeypatch.setattr(child, "FIRST_WAIT", 0.01)
    lives = []

    async def started():
        lives.append(keeper_of.process)
        if len(lives) < 3:
            raise ZeroDivisionError
        keeper_of._stop.set()
        keeper_of.kill()

    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    keeper_of = child.Child("sleeper", sleeper, dict(os.environ), on_start=started)
    asyncio.run(asyncio.wait_for(keeper_of.keep(), 60))
    assert len(lives) == 3
    assert all(life.returncode is not None for life in lives)


def test_a_child_that_cannot_be_started_is_tried_again(monkeypatch):
    monkeypatch.setattr(child, "FIRST_WAIT", 0.01)
    tries, spawn = [], asyncio.create_subprocess_exec

    async def scarce(*words, **more):
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.EAGAIN, "no more processes")
        kept._stop.set()
        return await spawn(*words, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", scarce)
    kept = child.Child("short", [sys.executable, "-c", ""], dict(os.environ))
    asyncio.run(asyncio.wait_for(kept.keep(), 60))
    assert len(tries) == 3
