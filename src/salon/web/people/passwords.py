"""Passwords of people of the house: what one must be, and how it is set, in the browser and on the command line."""

import re
import unicodedata

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from salon.web.people.models import AskedCode, EntryLink, User

#: a part of a name that is shorter may stand in a password; of scripts that write a name in two signs, these count
SHORTEST, SHORTEST_ELSEWHERE = 3, 2


class NotTheirName:
    """Django's own validator looks for what is like a name; "olga-salon-2026" is not like "olga", and is tried first by
    whoever knows her."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError if a part of the person's name or mail address stands in the password."""
        if user and any(part in _bare(password) for part in _parts(user)):
            raise ValidationError(_("There is a part of your name or e-mail address in it."), code="name_in_password")

    def get_help_text(self) -> str:
        """For the page."""
        return _("No part of your name or e-mail address may stand in it.")


def _bare(text: str) -> str:
    """Without case, accents, blanks, and widths of letters."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign) and not sign.isspace())


def _parts(user: User) -> set[str]:
    mailbox = user.email.partition("@")[0]
    wholes = (user.username, user.first_name, user.last_name, user.email, mailbox)
    words = (*wholes, *(word for whole in (*wholes[:3], mailbox) for word in re.split(r"[\W_\d]+", whole)))
    parts = map(_bare, words)
    return {part for part in parts if len(part) >= (SHORTEST if part.isascii() else SHORTEST_ELSEWHERE)}


def complaints(user: User, first: str, second: str) -> list[str]:
    """What is wrong with a new password that was typed twice; empty: nothing."""
    if first != second:
        return [_("The two are not the same.")]
    try:
        validate_password(first, user)
    except ValidationError as error:
        return list(error.messages)
    return []


def keep(user: User, password: str) -> None:
    """From now on it is this one. Sessions, links and codes from before open nothing any more: whoever sets a new one
    may have been robbed of the old."""
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        EntryLink.objects.filter(user=user, used_at=None).delete()
        AskedCode.objects.filter(user=user).delete()
