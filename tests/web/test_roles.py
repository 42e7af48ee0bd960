"""The people of the house: what each role opens, how roles are given and taken; nobody gets more by a trick."""

import threading
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, get_resolver
from hands import hand

from salon.core.errors import BadRecipe, Conflict, Forbidden
from salon.web.backstage import navigation
from salon.web.events import roles, several
from salon.web.events.domain import current_event
from salon.web.events.models import Entry
from salon.web.people import codes, links, sessions
from salon.web.people.models import EntryCode, EntryLink, Role, User

pytestmark = pytest.mark.django_db


def browser(user=None):
    opened = Client(headers={"Sec-Fetch-Site": "same-origin"})
    if user:
        opened.force_login(user)
    return opened


@pytest.fixture
def organiser():
    return hand("olga", "organiser")


# --- what a role opens

ORGANISERS = ["/backstage/event", "/backstage/people", "/backstage/events/salon/basics"]
CURATORS = [
    "/backstage/findings", "/backstage/reports", "/backstage/devices", "/backstage/trail", "/backstage/arena",
    "/backstage/engine", "/backstage/findings.csv",
]  # fmt: skip
SCREENS, ANYBODY = ["/backstage/screens"], ["/backstage", "/backstage/cheatsheet"]


@pytest.mark.parametrize(
    ("kind", "open_to"),
    [
        ("organiser", [*ORGANISERS, *CURATORS, *SCREENS, *ANYBODY]),
        ("curator", [*CURATORS, *SCREENS, *ANYBODY]),
        ("volunteer", [*SCREENS, *ANYBODY]),
        ("reviewer", ANYBODY),
    ],
)
def test_a_role_opens_its_pages_and_no_others(kind, open_to):
    someone = browser(hand("someone", kind))
    for path in (*ORGANISERS, *CURATORS, *SCREENS, *ANYBODY):
        wanted = (200, 302) if path in open_to else (403,)
        assert someone.get(path).status_code in wanted, (kind, path)


def test_with_the_guard_off_a_volunteer_would_be_let_in(monkeypatch):
    """Negative control of the test above."""
    vera = browser(hand("vera", "volunteer"))
    assert vera.get("/backstage/people").status_code == 403
    monkeypatch.setattr(sessions, "may", lambda *_: True)
    assert vera.get("/backstage/people").status_code == 200


def _routes(patterns, before=""):
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from _routes(pattern.url_patterns, path)


EXAMPLES = {"int": "1", "slug": "salon", "str": "x", "uuid": "x"}


def _address(path):
    """An address of this route, whatever its parts are called."""
    while "<" in path:
        start, _, rest = path.partition("<")
        part, _, end = rest.partition(">")
        path = start + EXAMPLES[part.partition(":")[0] if ":" in part else "str"] + end
    return f"/{path}"


BACKSTAGE = [_address(path) for path, _ in _routes(get_resolver().url_patterns) if path.startswith("backstage")]
#: the ways in
DOORS = {"/backstage/login", "/backstage/code", "/backstage/logout", "/backstage/enter/x"}


@pytest.mark.parametrize("path", sorted(set(BACKSTAGE) - DOORS))
def test_nobody_comes_behind_the_stage_without_an_account(path):
    """Every route under /backstage, of whichever room."""
    for answer in (browser().get(path), browser().post(path)):
        if answer.status_code != 405:
            assert (answer.status_code, answer.headers.get("Location", "").split("?")[0]) == (302, "/backstage/login")


def test_somebody_without_a_role_at_this_event_opens_nothing():
    nobody = browser(User.objects.create_user("nobody", is_staff=True))
    assert "no role at this event" in nobody.get("/backstage").content.decode()
    seen = {path: nobody.get(path).status_code for path in sorted(set(BACKSTAGE) - DOORS)}
    opened = [path for path, status in seen.items() if status not in (403, 404, 405)]
    assert set(opened) <= {"/backstage", "/backstage/cheatsheet"}


def test_a_volunteer_takes_down_and_does_no_more(organiser):
    vera = browser(hand("vera", "volunteer"))
    for deed in ("approved", "rejected", "reopened"):
        assert vera.post(f"/backstage/works/{'0' * 32}/{deed}").status_code == 403
    assert vera.post(f"/backstage/works/{'0' * 32}/pulled").status_code == 409, "allowed; there is no such work"
    assert vera.post("/backstage/lights", {"dark": "1"}).status_code == 302
    assert current_event().dark
    assert vera.post("/backstage/house", {"banner": "x"}).status_code == 403


def test_roles_are_of_one_event(organiser):
    vera = hand("vera", "organiser")
    other = several.make(organiser, "Second Salon")
    assert browser(vera).get("/backstage/people").status_code == 200
    assert browser(vera).get(f"/backstage/events/{other.slug}").status_code == 403
    several.choose(organiser, other)
    assert browser(vera).get("/backstage/people").status_code == 403
    assert browser(vera).get("/backstage/events").status_code == 200, "their own are listed still"
    assert other.name not in [event.name for event in several.events_of(vera)]


# --- the ways


def test_the_ways_lead_only_where_one_may_go():
    def ways(kind):
        return {one["address"] for group in navigation.groups(hand(kind, kind), "/backstage") for one in group["links"]}

    for kind in Role.Kind.values:
        someone = browser(User.objects.filter(username=kind).first() or hand(f"{kind}2", kind))
        for address in ways(kind):
            assert someone.get(address).status_code in (200, 302), (kind, address)
    organisers = navigation.groups(User.objects.get(username="organiser"), "/backstage/events/salon/basics")
    assert [str(one["words"]) for group in organisers for one in group["links"] if one["here"]] == ["Event"]
    assert [str(group["title"]) for group in organisers if group["here"]] == ["Plan"]


def test_a_room_that_is_not_there_is_left_out(monkeypatch):
    link = navigation.Link("nowhere:backstage", "Nowhere", navigation.ANYBODY)
    monkeypatch.setattr(navigation, "GROUPS", (("Today", (link,)), *navigation.GROUPS))
    assert "Nowhere" not in str(navigation.groups(hand("vera", "volunteer"), "/backstage"))


# --- giving and taking


def test_somebody_is_added_and_comes_in_by_the_link(organiser):
    page = browser(organiser).post(
        "/backstage/people", {"name": "Véra Óconnor", "email": "vera@example.org", "kinds": ["volunteer", "curator"]}
    )
    assert page.status_code == 200
    link = page.content.decode().split("/backstage/enter/")[1].split('"')[0].split("<")[0]
    vera = User.objects.get(email="vera@example.org")
    assert (vera.username, str(vera), sessions.roles_of(vera)) == (
        "vera-oconnor",
        "Véra Óconnor",
        {"volunteer", "curator"},
    )
    phone = browser()
    assert phone.post(f"/backstage/enter/{link}").status_code == 302
    assert phone.get("/backstage/findings").status_code == 200
    assert browser().post(f"/backstage/enter/{link}").status_code == 403, "once"
    deeds = list(Entry.objects.filter(person=organiser).order_by("id").values_list("deed", flat=True))
    assert deeds == ["person added", "role given", "role given", "link made"]


def test_what_was_typed_stays_when_somebody_cannot_be_added(organiser):
    desk = browser(organiser)
    typed = [
        ("", "a@b.org", ["curator"]),
        ("Eva", "a@b.org", []),
        ("Eva", "not one", ["curator"]),
        ("Eva", "", ["king"]),
    ]
    for name, email, kinds in typed:
        form = {"name": name, "email": email, "kinds": kinds}
        page = desk.post("/backstage/people", form)
        assert page.status_code == 400
        assert all(f'value="{form[name]}"' in page.content.decode() for name in ("name", "email") if form.get(name))
    assert User.objects.count() == 1


def test_two_of_one_name_are_two_and_one_address_is_one(organiser):
    first = roles.add(organiser, "Ali", "", ["volunteer"])
    second = roles.add(organiser, "Ali", "ali@example.org", ["volunteer"])
    again = roles.add(organiser, "Somebody Else", "ALI@example.org", ["reviewer"])
    japanese = roles.add(organiser, "花子", "", ["volunteer"])
    assert (first.username, second.username, japanese.username) == ("ali", "ali-2", "person")
    assert again == second
    assert sessions.roles_of(second) == {"volunteer", "reviewer"}


def test_nobody_takes_the_last_organiser_away(organiser):
    vera = hand("vera", "organiser")
    roles.set_roles(organiser, vera.pk, ["curator"])
    with pytest.raises(Conflict, match="last organiser"):
        roles.set_roles(organiser, organiser.pk, ["curator"])
    with pytest.raises(Conflict, match="last organiser"):
        roles.set_active(organiser, organiser.pk, False)
    Role.objects.create(user=vera, event=current_event(), kind="organiser")
    User.objects.filter(pk=vera.pk).update(is_active=False)
    with pytest.raises(Conflict, match="last organiser"):  # one who cannot come in is none
        roles.set_roles(organiser, organiser.pk, [])
    assert Role.objects.filter(kind="organiser", user=organiser).exists()
    keeper = links.keeper()
    roles.set_roles(keeper, organiser.pk, [])  # whoever holds the machine may
    with pytest.raises(Conflict, match="last keeper"):
        roles.set_active(keeper, keeper.pk, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("held", "left"), [(True, {1}), (False, {0, 1})])
def test_two_organisers_at_once_cannot_take_each_other_away(first_event, monkeypatch, held, left):
    """With the check off (the control) both may go."""
    pair = [hand("olga", "organiser"), hand("otto", "organiser")]
    if not held:
        monkeypatch.setattr(roles, "_check_somebody_is_left", lambda *_: None)
    ready = threading.Barrier(2)

    def run(doer, other):
        ready.wait()
        try:
            roles.set_roles(doer, other.pk, [])
        except Conflict:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=two) for two in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Role.objects.filter(kind="organiser").count() in left


def test_a_shut_account_is_out_at_once(organiser):
    vera = hand("vera", "curator")
    phone, token = browser(vera), links.new_link(vera)
    assert phone.get("/backstage/findings").status_code == 200
    roles.set_active(organiser, vera.pk, False)
    assert phone.get("/backstage/findings").status_code == 302
    assert browser().post(f"/backstage/enter/{token}").status_code == 403
    with pytest.raises(Conflict):
        roles.link(organiser, vera.pk)
    roles.set_active(organiser, vera.pk, True)
    assert browser().post(f"/backstage/enter/{token}").status_code == 403, "the old link stays void"
    assert phone.get("/backstage/findings").status_code == 302, "and so does the old session"
    assert browser().post(f"/backstage/enter/{roles.link(organiser, vera.pk)[1]}").status_code == 302


def test_with_sessions_left_alone_an_old_one_would_work_again(organiser, monkeypatch):
    """Negative control of the test above; and the sessions of others go on."""
    vera, wim = hand("vera", "curator"), hand("wim", "curator")
    phone, other = browser(vera), browser(wim)
    with monkeypatch.context() as loose:
        loose.setattr(sessions, "end", lambda user: None)
        for active in (False, True):
            roles.set_active(organiser, vera.pk, active)
    assert phone.get("/backstage/findings").status_code == 200
    for active in (False, True):
        roles.set_active(organiser, vera.pk, active)
    assert phone.get("/backstage/findings").status_code == 302
    assert other.get("/backstage/findings").status_code == 200


def test_a_code_that_was_sent_before_an_account_was_shut_is_void(organiser, settings):
    settings.EMAIL_CONFIGURED = True
    vera = hand("vera", "curator", email="vera@example.org")
    assert codes.send_code("vera@example.org")
    assert EntryCode.objects.filter(user=vera).exists(), "the control"
    roles.set_active(organiser, vera.pk, False)
    assert not EntryCode.objects.filter(user=vera).exists()


@pytest.mark.parametrize(
    "make", [lambda doer, user: roles.link(doer, user.pk)[1], lambda _doer, user: links.new_link(user)]
)
def test_a_new_link_makes_the_one_before_void(organiser, make):
    """A house that is started anew prints one, too."""
    vera, wim = hand("vera", "curator"), hand("wim", "curator")
    others = links.new_link(wim)
    first, second = (make(organiser, vera) for _ in range(2))
    assert browser().post(f"/backstage/enter/{first}").status_code == 403
    assert browser().post(f"/backstage/enter/{second}").status_code == 302
    assert browser().post(f"/backstage/enter/{others}").status_code == 302, "the control: somebody else's"


def test_nobody_becomes_more_than_they_are_by_somebody_else_s_link(organiser, monkeypatch):
    """An organiser may add the keeper's, or another event's organiser's, account to their own event; a link for it
    would open everything that account may do."""
    keeper = links.keeper()
    User.objects.filter(pk=keeper.pk).update(email="keeper@example.org")
    other = several.make(organiser, "Second Salon")
    local = hand("local", "organiser")
    roles.add(local, "Friend", "keeper@example.org", ["volunteer"])
    for account in (keeper, organiser):
        for deed in (lambda a=account: roles.link(local, a.pk), lambda a=account: roles.set_active(local, a.pk, False)):
            with pytest.raises(Forbidden):
                deed()
    assert browser(local).post(f"/backstage/people/{keeper.pk}/link").status_code == 403
    assert not EntryLink.objects.exists()
    Role.objects.create(user=local, event=other, kind="organiser")
    assert roles.link(local, organiser.pk), "whoever organises all their events may"
    monkeypatch.setattr(roles, "in_reach", lambda *_: True)  # negative control
    assert roles.link(local, keeper.pk)


def test_who_is_not_of_this_event_is_not_reached(organiser):
    stranger = User.objects.create_user("stranger", is_staff=True)
    for deed in (lambda: roles.set_roles(organiser, stranger.pk, ["curator"]), lambda: roles.link(organiser, 10**18)):
        with pytest.raises(Conflict, match="Nobody here"):
            deed()
    assert browser(organiser).post(f"/backstage/people/{stranger.pk}/roles", {"kinds": "curator"}).status_code == 409
    with pytest.raises(BadRecipe):
        roles.set_roles(organiser, organiser.pk, ["king"])


# --- before there were roles


def test_whoever_was_in_the_house_before_roles_may_do_what_they_could():
    old = User.objects.create_user("cora", is_staff=True)
    User.objects.create_user("visitor")
    keeper = links.keeper()
    move = import_module("salon.web.people.migrations.0005_roles_of_before").give_roles
    for _ in range(2):
        move(apps, None)
    assert sorted(Role.objects.values_list("user__username", "kind")) == [("cora", "curator"), ("cora", "organiser")]
    assert browser(old).get("/backstage/people").status_code == 200
    assert browser(keeper).get("/backstage/people").status_code == 200
