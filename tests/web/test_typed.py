"""What people type into forms of every room: empty means that nothing can be seen, and what cannot be is no fault."""

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from salon.core.errors import BadRecipe
from salon.web.call.domain import answers
from salon.web.events import devices, forms, roles
from salon.web.events.domain import current_event
from salon.web.exports.domain import tokens
from salon.web.exports.models import Scope
from salon.web.people import consents, guests
from salon.web.people.models import Role, User

UNSEEN = ["\u3164", "\u200d\u200b", "\u2800", "\u0301", "\ufeff\u00ad"]
ADDRESS = "\u200bana@example.org\u200e"


@pytest.mark.django_db
@pytest.mark.parametrize("name", UNSEEN, ids=ascii)
def test_nobody_and_nothing_is_called_by_what_is_not_seen(name):
    """In several rooms. Control: white space alone was always refused, these were not; a letter with one is a name."""
    event, ada = current_event(), User.objects.create_superuser("ada")
    assert name.strip()
    for make in (
        lambda: guests.make(event.id, name),
        lambda: roles.add(ada, name, "", Role.Kind.values[:1]),
        lambda: tokens.make(ada, name, Scope.values[:1], 1),
        lambda: devices.make(ada, "station", name),
        lambda: consents.publish(event.id, name, {"en": "x"}),
    ):
        with pytest.raises(BadRecipe, match=r"name|what the token is for"):
            make()
    assert guests.make(event.id, f"A{name}")[0].name.startswith(("A", "Á"))


@pytest.mark.django_db
def test_an_address_pasted_with_what_is_not_seen_is_that_address():
    """Control: as it was typed it is none."""
    with pytest.raises(ValidationError):
        validate_email(ADDRESS)
    assert guests.make(current_event().id, "Ana", ADDRESS)[0].email == "ana@example.org"


@pytest.mark.parametrize("lines", [forms.lines, answers.lines])
def test_lines_are_tidied_in_one_way(lines):
    assert lines("\u3164\r\n one\u00adword \u202e\r\n\n two\n\u2800") == "oneword\n\ntwo"
