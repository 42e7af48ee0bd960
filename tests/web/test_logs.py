"""Bearer links are written to no log, whoever logs them and at whatever status."""

import io
import logging

import pytest
from django.test import Client
from django.urls import get_resolver
from test_ways_in import _routes

from salon.web import logs

pytestmark = pytest.mark.django_db
TOKEN = "Zq3-kW_x9.7fTOKEN:secret"


@pytest.fixture
def written(monkeypatch):
    """What the house's own handler writes; `plain` is what it would write without its formatter."""
    ours = next(h for h in logging.getLogger().handlers if isinstance(h.formatter, logs.Discreet))
    written, plain = io.StringIO(), io.StringIO()
    monkeypatch.setattr(ours, "stream", written)
    control = logging.StreamHandler(plain)
    logging.getLogger().addHandler(control)
    yield written, plain
    logging.getLogger().removeHandler(control)


def tokens():
    routes = [path for _name, path in _routes(get_resolver().url_patterns) if "<str:token>" in path]
    return [f"/{path.replace('<str:token>', TOKEN)}" for path in routes]


@pytest.mark.parametrize("path", [*tokens(), f"/you/{TOKEN}/", f"/you//{TOKEN}", f"/YOU/{TOKEN}", f"/you/ {TOKEN}"])
def test_a_refused_link_is_not_written_down(path, written):
    ours, plain = written
    answer = Client().get(path)
    assert 400 <= answer.status_code < 500
    assert "/" in ours.getvalue()
    assert TOKEN not in ours.getvalue()
    assert TOKEN in plain.getvalue()  # the control: without the formatter it would be


def test_neither_is_one_at_which_something_broke(written, monkeypatch):
    from salon.web.people import guests

    def broken(token):
        raise RuntimeError(f"while looking at /you/{token}?key={token}")

    monkeypatch.setattr(guests, "guest_of_token", broken)
    ours, plain = written
    client = Client(raise_request_exception=False)
    assert client.get(f"/you/{TOKEN}").status_code == 500
    assert "RuntimeError" in ours.getvalue()
    assert TOKEN not in ours.getvalue()
    assert TOKEN in plain.getvalue()


@pytest.mark.parametrize(
    "name", ["django.request", "django.security", "uvicorn.error", "uvicorn.access", "salon.web", "asyncio"]
)
def test_every_logger_writes_by_that_handler_alone(name):
    """Handlers of its own would write it in clear. (uvicorn's are taken off by `log_config=None`.)"""
    logger = logging.getLogger(name)
    while logger is not logging.getLogger():
        assert not [h for h in logger.handlers if not isinstance(h.formatter, logs.Discreet)], logger.name
        assert logger.propagate, logger.name
        logger = logger.parent


def test_what_is_no_token_stays():
    for line in ("Not Found: /works/0123", "GET /places/7f", "/youth/club", "/station/entered", "?monkey=1"):
        assert logs.discreet(line) == line
