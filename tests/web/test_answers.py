"""Every error that a page may meet is answered with a sentence and a status of its own."""

import importlib
import pkgutil

import pytest
from doorway import place, pool

import salon
from salon import printing
from salon.core.errors import SalonError
from salon.web import answers
from salon.web.doors import paper, tickets

pytestmark = pytest.mark.django_db
#: rooms whose errors the web can meet, and what it cannot: these answer people on the command line
ROOMS = ("salon.core.", "salon.engine.", "salon.printing.", "salon.web.")
NEVER = {"error", "world", "training", "not_private"}


def kinds(kind=SalonError):
    yield kind
    for one in kind.__subclasses__():
        yield from kinds(one)


def codes():
    for module in pkgutil.walk_packages(salon.__path__, "salon."):
        if module.name.startswith(ROOMS) and ".migrations" not in module.name and ".__main__" not in module.name:
            importlib.import_module(module.name)
    return {kind.code for kind in kinds() if kind.__module__.startswith(ROOMS)}


def test_every_error_has_its_status():
    found = codes() - NEVER
    assert {"unprintable", "bad_recipe", "busy"} <= found
    assert found - answers.STATUS.keys() == set()


def test_what_cannot_be_printed_says_so(client, monkeypatch):
    """A ticket with a letter that no font has, and nobody asked before; the control is a status that is not named."""
    link, query = tickets.link(place(pool())).split("?")

    def refused(_place):
        return printing.pdf("ticket", {})  # nothing of what the form needs

    monkeypatch.setitem(paper.KINDS, "pdf", ("application/pdf", refused))
    answer = client.get(f"{link}.pdf?{query}")
    assert answer.status_code == 422
    assert "cannot be printed here" in answer.content.decode()
    assert "Print the page itself" in answer.content.decode()
    monkeypatch.setattr(answers, "STATUS", {k: v for k, v in answers.STATUS.items() if k != "unprintable"})
    assert client.get(f"{link}.pdf?{query}").status_code == 500
