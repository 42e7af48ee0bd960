"""Before and after: a curator sets two models against each other. Where one of them has planted flaws (`audit`), its
battles are only for people who came by the reviewers' link and were told; visitors never meet it."""

from typing import Any

from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Forbidden
from salon.engine.client import ModelInfo
from salon.web import cookies
from salon.web.arena.models import Pairing
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Event
from salon.web.events.trail import note
from salon.web.line import EngineState
from salon.web.people.models import User
from salon.web.station.domain.catalogue import drawable

COOKIE = cookies.personal("salon_reviewer")
LIFETIME = 60 * 60 * 12
_SALT = "salon.arena.reviewer"


def candidates(engine: EngineState) -> list[ModelInfo]:
    """All that draw, those with planted flaws too."""
    return [model for model in engine.models if drawable(model)]


def present(event: Event) -> Pairing | None:
    return Pairing.objects.filter(event=event, ended_at=None).first()


def models_of(pairing: Pairing, engine: EngineState) -> tuple[ModelInfo, ModelInfo] | None:
    """Its two models, if both can draw now."""
    ready = {model.name: model for model in candidates(engine)}
    both = ready.get(pairing.one), ready.get(pairing.other)
    return (both[0], both[1]) if both[0] and both[1] else None


def needs_reviewer(models: tuple[ModelInfo, ModelInfo]) -> bool:
    return any(model.purpose != "public" for model in models)


def shown(event: Event, engine: EngineState) -> dict[str, Any]:
    """What the curators' page needs: the pairing, its models if they can draw, whether only reviewers meet it."""
    found, ready = present(event), candidates(engine)
    models = models_of(found, engine) if found else None
    names = [model.name for model in ready[:2]]
    fields = zip(("one", "other"), (_("One"), _("Other")), names if len(names) == 2 else ["", ""])
    return {
        "pairing": found,
        "models": models,
        "reviewers": models is not None and needs_reviewer(models),
        "candidates": ready,
        "fields": [{"name": name, "label": label, "value": value} for name, label, value in fields],
    }


def begin(person: User, one: str, other: str, engine: EngineState) -> Pairing:
    """From now on these two meet; an earlier pairing ends. Raises BadRecipe."""
    ready = {model.name for model in candidates(engine)}
    if one == other or not {one, other} <= ready:
        raise BadRecipe(
            _("A pairing needs two different models that can draw now."),
            _("Choose both from the lists, then try again."),
        )
    return prepare(person, one, other)


def prepare(person: User, one: str, other: str) -> Pairing:
    """As `begin`, for two models that may not be loaded yet: they meet as soon as both can draw."""
    with transaction.atomic():
        event = lock_current_event()
        _end(person, event)
        made = Pairing.objects.create(event=event, one=one, other=other)
        note(event, "paired", made.id, person=person, text=str(made)[:300])
        return made


def end(person: User) -> None:
    """Any two meet again; ending nothing changes nothing."""
    with transaction.atomic():
        _end(person, lock_current_event())


def _end(person: User, event: Event) -> None:
    if found := present(event):
        Pairing.objects.filter(id=found.id).update(ended_at=timezone.now())
        note(event, "pairing ended", found.id, person=person)


def token(pairing: Pairing) -> str:
    """What the reviewers' link carries."""
    return signing.dumps(pairing.id, salt=_SALT)


def check(value: str) -> str:
    """The pairing that a reviewer's token or cookie is for. Raises Forbidden."""
    try:
        return str(signing.loads(value, salt=_SALT, max_age=LIFETIME))
    except signing.BadSignature as error:
        raise Forbidden(_("This link is too old, or not ours."), _("Ask a curator for a new one.")) from error


def invited_to(value: str) -> str:
    """The same of a pairing that goes on. Raises Forbidden."""
    found = check(value)
    if not Pairing.objects.filter(id=found, ended_at=None).exists():
        raise Forbidden(_("This pairing is over."), _("Ask a curator for a new one."))
    return found
