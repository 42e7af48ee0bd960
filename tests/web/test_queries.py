"""Whatever stands behind the question mark of an address, or between its slashes, no page breaks over it.

All routes are walked in a house with rows in every room, by somebody without a ticket, by a guest, and by an organiser.
Which parameters a page reads is not listed here: it is watched while the page is made, templates included, so that a
new one is tried from the day on which it is read."""

import re
from itertools import product

import pytest
from django.apps import apps
from django.conf import settings as conf
from django.http import HttpResponse, QueryDict
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, get_resolver, path
from django.utils import timezone
from hands import body
from jury_house import application, olga, phase, question, upload  # noqa: F401 (fixtures)
from register import ADA, draw, house, people, report, shown  # noqa: F401 (fixtures)

from salon.web import line
from salon.web.events import demo
from salon.web.exports.domain import tokens
from salon.web.exports.models import Scope
from salon.web.line import EngineState, Line
from salon.web.mail.models import Letter
from salon.web.people import guests
from salon.web.people.models import Role, User
from salon.web.seats.domain import proof
from salon.web.seats.models import Place
from salon.web.station.domain.visitors import give_ticket

# ruff: noqa: F811 (fixtures of jury_house.py and register.py)
pytestmark = pytest.mark.django_db

#: as they stand in an address; the first are no text at all, and some read like what a page expects
HOSTILE = [
    "%00", "%FF", "%ED%A0%80", "%", "", "+", "0", "-1", "1e400", "NaN", "Infinity", "9" * 19, "9" * 5000, "%C2%B2",
    "%D9%A1%D9%A2", "1.5", "x", "done", "__class__", "[]", "%7B%7D", "%7B0.__class__%7D", "2026-02-30", "0000-00-00",
    "9999-12-31T23:59:59%2B14:00", "..%2F..%2Fetc%2Fpasswd", "%3Cscript%3E", "%27%22%3B--", "%F0%9F%92%A5" * 400,
    "a" * 4000, "%0D%0ASet-Cookie:%20a=b", "%25s%25(x)d", "%E2%80%AE%E2%80%8B", "//evil.example", "A==",
]  # fmt: skip
#: in the place of a row's key
PARTS = ["9" * 19, "9" * 400, "0", "a" * 3000, "-", "x", "0" * 32]
#: a part of a route that stands for a row of a model of another name
NAMED = {"application": "submission"}
#: what other parts may say where a page is to be found
SAYS = {"kind": "pdf", "name": "guests", "ending": "csv", "what": "ranking", "language": "en", "preset": "slots",
        "colour": "3b2a5c", "side": "a", "number": "1"}  # fmt: skip
PART = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>|\(\?P<(?P<named>\w+)>[^)]*\)")
#: pages in the language's own parameter would be all pages: these stand for them
SPOKEN = ("/", "/station", "/programme", "/backstage", "/api/models", "/door")


def routes(patterns, before=""):
    """Every route as it is written."""
    for pattern in patterns:
        whole = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield whole
        else:
            yield from routes(pattern.url_patterns, whole)


def key_of(name):
    """A row's key for the part `pool_id`, "1" where there is none."""
    wanted = NAMED.get(name[:-3], name[:-3])
    models = (m for m in apps.get_models() if m._meta.model_name == wanted and m._meta.app_label != "sessions")
    return str(getattr(next((row for m in models if (row := m.objects.last())), None), "pk", "1"))


def addresses(event):
    """An address of each route, of rows that are there; and the same with each hostile part."""
    secrets = {"token": proof.token_of(Place.objects.filter(state="booked").first())}

    def known(found):
        name = found["name"] or found["named"]
        says = {"slug": event.slug, **SAYS, **secrets}.get(name, "x")
        return key_of(name) if name.endswith("_id") else says

    for route in routes(get_resolver().url_patterns):
        plain = route.replace("^", "").replace("$", "").replace("\\", "")
        whole = "/" + PART.sub(known, plain)
        yield whole, [f"/{PART.sub(part, plain)}" for part in PARTS if PART.search(plain)]


class Watch:
    """Notes which names of an address's query are asked for, by views and by templates."""

    def __init__(self, monkeypatch):
        self.names = set()
        for name in ("__getitem__", "get", "getlist", "__contains__"):
            monkeypatch.setattr(QueryDict, name, self._noting(getattr(QueryDict, name)))

    def _noting(self, method):
        def noted(query, name, *rest, **more):
            if isinstance(name, str) and not query._mutable:
                self.names.add(name)
            return method(query, name, *rest, **more)

        return noted

    def during(self, ask):
        """The names of one request; those that are found only behind others come with them the next time."""
        self.names.clear()
        ask()
        return sorted(self.names)


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Django says every page that breaks; the test does."""
    caplog.set_level("CRITICAL", "django.request")


class Unplugged(Line):
    """A line on which nobody is: a test's requests each have a loop of their own, and would have sockets of their
    own."""

    def __init__(self):
        self._mailboxes, self._previews, self._engine, self._heard = {}, {}, EngineState(), 0.0

    def tell(self, message):
        pass


@pytest.fixture(autouse=True)
def _unplugged(monkeypatch):
    monkeypatch.setattr(line, "Line", Unplugged)


@pytest.fixture
def full(olga, people, draw, settings, tmp_path):
    """A demo event with rows in every room."""
    settings.MEDIA_ROOT = tmp_path
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    event = demo.make(olga)
    for user, kind in [(olga, Role.Kind.REVIEWER), *((one, Role.Kind.CURATOR) for one in people)]:
        Role.objects.create(user=user, event=event, kind=kind)
    shown(draw(prompt="a red fox"), people)
    report(draw(seed=7))
    made = application("Sent", "Ada", "ada@example.org", submitted_at=timezone.now())
    upload(made, "one.jpg", question("file", "Picture"))
    phase(olga)
    Letter.objects.create(event=event, guest=made.guest, kind="x", key="x", to="a@b.example", subject="s", text="t")
    return event


def cookies(event):
    """Of a guest who has drawn."""
    answer, request = HttpResponse(), RequestFactory().get("/")
    give_ticket(request, answer, ADA)
    guests.remember(answer, guests.make(event.pk, "Zoë", "zoe@example.org")[1])
    return answer.cookies


@pytest.fixture
def browsers(full, olga):
    """Who comes: nobody, a guest with a ticket, an organiser, a program."""
    made = {name: Client(raise_request_exception=False) for name in ("nobody", "guest", "organiser")}
    made["guest"].cookies.update(cookies(full))
    made["organiser"].force_login(olga)
    text = tokens.make(olga, "A screen", Scope.values, 30)[1]
    return made | {"program": Client(raise_request_exception=False, headers={"authorization": f"Bearer {text}"})}


def ask(client, address):
    """The status; what is sent in parts is read to its end, but for streams that have none."""
    answer = client.get(address)
    if answer.streaming and "event-stream" not in answer.headers["Content-Type"]:
        body(answer)
    return answer.status_code


def asked(watch, browsers, address):
    """(browser, names) of all that is read of this address's query; where two of them are read alike, one."""
    known = set()
    for client in browsers.values():
        if client.get(address).status_code not in (301, 302, 303, 405):
            names = [name for name in watch.during(lambda client=client: client.get(address)) if name != "lang"]
            names += ["lang"] if address in SPOKEN else []
            if names and tuple(names) not in known:
                known.add(tuple(names))
                yield client, names


def queries(names):
    """All parameters with each value at once; each alone with a few of them in turn, with its own name, twice."""
    yield from ("&".join(f"{name}={value}" for name in names) for value in HOSTILE)
    for at, name in enumerate(names):
        yield from (f"{name}={HOSTILE[(at * 5 + n * 7) % len(HOSTILE)]}" for n in range(5))
        yield from (f"{name}={name}", f"{name}=x", f"{name}=0&{name}=%00&{name}[]=1&{name}[a]=2")


def broken(watch, browsers, address):
    """Addresses over which this page breaks."""
    tries = [(client, f"{address}?{query}") for client, names in asked(watch, browsers, address)
             for query in queries(names)]  # fmt: skip
    return [whole[:200] for client, whole in tries if ask(client, whole) == 500]


@pytest.mark.slow
def test_no_query_breaks_a_page(full, browsers, monkeypatch):
    watch, tried, found = Watch(monkeypatch), 0, []
    for address, _ in addresses(full):
        found += broken(watch, browsers, address)
        tried += 1
    assert tried > 200
    assert found == []


@pytest.mark.slow
def test_no_part_of_an_address_breaks_a_page(full, browsers):
    found = []
    for _, hostile in addresses(full):
        for address, client in product(hostile, browsers.values()):
            if ask(client, address) == 500:
                found.append(address[:120])
    assert found == []


def fragile(request):
    """As pages should not be: a number is taken for granted, and a key of a dictionary."""
    return HttpResponse({"": "?", "one": "1"}[request.GET.get("done", "")] + str(int(request.GET.get("n", "1"))))


urlpatterns = [path("fragile", fragile)]


def test_the_control_a_fragile_page_is_found(monkeypatch):
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[m for m in conf.MIDDLEWARE if "salon" not in m]):
        client = Client(raise_request_exception=False)
        found = broken(Watch(monkeypatch), {"nobody": client}, "/fragile")
    assert "/fragile?done=x" in found
    assert "/fragile?n=n" in found
    assert any(one.startswith("/fragile?done=%00&n=") for one in found)
    assert "/fragile?n=0" not in found
