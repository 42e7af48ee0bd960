"""How a battle stands, its vote, and what makes it void. Names are told only once it can no longer be voted on."""

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.web.arena.domain.asking import owner
from salon.web.arena.models import OPEN, Battle, Void, Winner
from salon.web.events.domain import lock_current_event
from salon.web.station.domain.machines import FAMILIES, after
from salon.web.station.domain.pictures import without_words
from salon.web.station.domain.state import position
from salon.web.station.models import Image, Request, Withheld

SIDES = ("a", "b")


def owned(battle_id: str, visitor: str | None) -> Battle | None:
    """The battle if it is this visitor's; others are not told whether it exists."""
    found = Battle.objects.filter(id=battle_id, visitor=visitor) if visitor else Battle.objects.none()
    return found.select_related("request", "image_a", "image_b").first()


def settle(battle: Battle) -> Battle:
    """Makes it void if its pictures ended badly. Call it before anything is shown or counted."""
    if battle.open and (why := _trouble(battle)):
        with transaction.atomic():
            lock_current_event(even_archived=True)
            _end(battle, void=why)
    return battle


def _trouble(battle: Battle) -> str:
    request = battle.request
    if request is None or battle.image_a is None or battle.image_b is None:
        return Void.ERASED
    if request.open:
        return ""
    if request.state != Request.State.FINISHED:
        return Void.FAILED
    return next((why for image in (battle.image_a, battle.image_b) if (why := _missing(image))), "")


def _missing(image: Image) -> str:
    if image.withheld:
        return Void.REMOVED if image.withheld == Withheld.HOUSE else Void.WITHHELD
    return "" if image.file else Void.ERASED


def _end(battle: Battle, **outcome: Any) -> None:
    """Inside a transaction, under the event's lock: its vote or why it is void, unless it has ended already. From then
    on the drawings are the visitor's own, under "Yours"."""
    if Battle.objects.filter(OPEN, id=battle.id).update(**outcome):
        Request.objects.filter(id=battle.request_id, visitor=owner(battle.visitor)).update(visitor=battle.visitor)
    battle.refresh_from_db(fields=["winner", "void", "known", "voted_at"])


def vote(battle: Battle, winner: str, known: bool = True) -> Battle:
    """The first vote stays: a second one, whatever it says, changes nothing, since the names have been shown. A void
    battle takes none. `known`: by a visitor with a ticket of their own; strangers are one voter together. Raises
    BadRecipe, Conflict while the pictures are not there."""
    if winner not in Winner.values:
        raise BadRecipe(_("This is no vote."), _("Press one of the four buttons under the pictures."))
    if not settle(battle).open:
        return battle
    if battle.request is None or battle.request.open:
        raise Conflict(_("The pictures are still being drawn."), _("Wait until both hang, then vote."))
    with transaction.atomic():
        lock_current_event()
        _end(battle, winner=winner, known=known, voted_at=timezone.now())
    return battle


def seen(sender: object, image: str, **_more: Any) -> None:
    """Somebody opened an image's own page or file, which name its model, before the vote: the battle is void."""
    for battle in Battle.objects.filter(OPEN, Q(image_a=image) | Q(image_b=image)):
        with transaction.atomic():
            lock_current_event(even_archived=True)
            _end(battle, void=Void.SEEN)


def state_of(battle: Battle) -> dict[str, Any]:
    """What the page asks while it waits: nothing that could tell the models, not even which picture came first."""
    settle(battle)
    if not battle.open:
        return {"state": "void" if battle.void else "voted"}
    if battle.request and battle.request.open:
        waits = battle.request.state == Request.State.WAITING
        return {"state": "drawing", "position": position(battle.request) if waits else 0}
    return {"state": "ready"}


def blind_file(battle: Battle, side: str) -> bytes:
    """One picture as nothing but pixels. Raises FileNotFoundError until both are there."""
    image = {"a": battle.image_a, "b": battle.image_b}[side]
    if image is None or image.withheld or not image.file or battle.request is None or battle.request.open:
        raise FileNotFoundError(side)
    with default_storage.open(image.file) as file:
        return without_words(file.read())


def prompt_of(battle: Battle) -> str:
    """The words: the house's, or the visitor's own out of the recipe; none once that is gone."""
    image = battle.image_a or battle.image_b
    return battle.prompt or (image.recipe.prompt if image else "")


def revealed(battle: Battle) -> list[dict[str, Any]]:
    """Who drew what, left then right; nothing while it can still be voted on."""
    if battle.open:
        return []
    return [
        {
            "side": side,
            "model": getattr(battle, f"model_{side}"),
            "after": after(family),
            "how": FAMILIES[family].how[1] if family in FAMILIES else "",
            "image": getattr(battle, f"image_{side}_id"),
            "won": battle.winner == side,
        }
        for side in SIDES
        if (family := getattr(battle, f"family_{side}"))
    ]
