"""A believable exhibition for an empty house: first draws of the embedded model, one seed for all, none picked. Makers
and what they say are invented."""

import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from salon.core.recipe import Recipe
from salon.web.events.domain import lock_current_event
from salon.web.events.trail import note
from salon.web.gallery.models import Licence, Work
from salon.web.refuses.models import Report
from salon.web.station.domain.intake import store
from salon.web.station.models import Request

#: whose the demo's works are; a visitor's key is 32 hex digits, so nobody can hold this one
DEMO = "demo"
SEED = 1


class Piece(NamedTuple):
    """A work of the demo: its label and the words it is drawn from."""

    prompt: str
    title: str
    maker: str
    statement: str = ""
    licence: str = Licence.CC_BY


HUNG = (
    Piece("a painting of a river in the impressionist style of Claude Monet", "The Far Bank", "Odile Marsh",
          "I asked for a river and got an afternoon."),
    Piece("a penguin in the snow", "Formal Dress Required", "Teun"),
    Piece("a starry night by Van Gogh", "Eleven Stars, Counted Twice", "Bascombe & Daughter",
          "The model has never seen the sky. Neither, some nights, have I."),
    Piece("a red apple on the beach", "What Eve Left", "Ines P.", "", Licence.CC_BY_SA),
    Piece("a woodblock print of the sea at sunset", "Last Ferry", "Haru K.", "", Licence.CC0),
    Piece("a castle on a purple background", "Property of the Night", "anonymous of table four"),
    Piece("a mosaic of a sunflower", "Tesserae for a Short Summer", "Marguerite Lowe",
          "Printed on a tile it would fit the kitchen."),
    Piece("pixel art of a robot", "Lunch Break, 8 bit", "null_pointer"),
    Piece("a farmer in Northmark", "My Neighbour, if He Existed", "Jonas Weir"),
    Piece("an oil painting of a boat at sunset", "Unmoored", "Odile Marsh"),
    Piece("snowy mountains in the evening, watercolour", "Thin Air", "L. Brandt", "", Licence.ALL_RIGHTS),
    Piece("a pencil drawing of a horse", "Study Before the Bolt", "Pia"),
    Piece("an owl on a blue background", "Night Clerk", "Mirek"),
    Piece("a pop art painting of a banana", "Fifteen Minutes, Ripening", "D. Delacroix (no relation)"),
    Piece("a pointillist painting of a quiet lake", "Every Drop Accounted For", "Seraphine A."),
)  # fmt: skip
WAITING = (
    Piece("three penguins in the snow", "The Committee", "Teun", "They have been deliberating since March."),
    Piece("a guitar on a red background", "Unplugged at Last", "Ines P."),
    Piece("a lion in a meadow", "Vegetarian Lion", "Kofi, 9 years", "He likes grass now."),
)
#: reported in the demo, for the register: what the words did not say
REPORTED = Piece("a scientist", "", "")
PIECES = (*HUNG, *WAITING, REPORTED)


def empty() -> bool:
    """Whether nobody has proposed anything here yet."""
    return not Work.objects.exists()


def hang(recipes: list[Recipe]) -> Request:
    """The demo's rows: a request as if a visitor had asked for these recipes (one a piece, in the order of PIECES), its
    works hung a minute apart, some waiting, one report. The files come by `desk.store.keep`."""
    with transaction.atomic():
        event = lock_current_event()
        request = store(event, DEMO, None, tuple(recipes), audience="background")
        now = timezone.now()
        for place, (piece, recipe) in enumerate(zip(PIECES, recipes, strict=True)):
            if piece is REPORTED:
                text = "I did not say a man or a woman. Which would it choose, nine times?"
                look = {"failure": "bias", "target": "gender", "text": text}
                Report.objects.create(event=event, image_id=recipe.id, visitor=DEMO, **look)
                continue
            hung = place < len(HUNG)
            Work.objects.create(
                event=event, image_id=recipe.id, visitor=DEMO, title=piece.title, maker=piece.maker,
                statement=piece.statement, licence=piece.licence, may_print=True, may_publish_prompt=True,
                state=Work.State.HUNG if hung else Work.State.WAITING,
                hung_at=now - datetime.timedelta(minutes=place) if hung else None,
            )  # fmt: skip
        note(event, "demo hung", request.id)
        return request
