"""The event's calls in the house's OpenAPI document."""

from typing import Any

from salon.web.exports.api import MOST_A_PAGE, MOST_CURSOR
from salon.web.exports.models import Scope
from salon.web.station.openapi import call

TEXT, MAYBE, NUMBER, YES = ({"type": kind} for kind in ("string", ["string", "null"], "integer", "boolean"))
TEXTS = {"type": "array", "items": TEXT}
#: what a call with a token may answer besides
MISHAPS = {
    "400": "This cannot be asked.",
    "401": "No token, or one that opens nothing any more.",
    "403": "The token lacks the scope, or this was sent from another site's page.",
    "404": "There is nothing of that name.",
    "405": "This address does not answer that method.",
    "409": "It does not fit what is there by now.",
    "413": "More than this salon reads at once.",
    "429": "The token has asked as often as it may in a minute.",
    "503": "The disk is full.",
}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _items(item: dict[str, Any], paged: bool = False) -> dict[str, Any]:
    rows = {"items": {"type": "array", "items": item}}
    return _object(**rows, next=MAYBE) if paged else _object(**rows)


def _call(summary: str, schema: dict[str, Any], scope: str = "", paged: bool = False, **more: Any) -> Any:
    security = [{"token": [scope]}] if scope else [{}, {"token": [Scope.PROGRAMME]}]
    parameters = [*more.pop("parameters", []), *(PAGE if paged else [])]
    return call(summary, "200", schema, mishaps=MISHAPS, security=security, parameters=parameters, **more)


PAGE = [
    {"name": "cursor", "in": "query", "description": "“next” of the page before",
     "schema": {"type": "string", "maxLength": MOST_CURSOR}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST_A_PAGE}},
]  # fmt: skip
BY_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}
EVENT = _object(name=TEXT, place=TEXT, time_zone=TEXT, open=YES, starts_on=MAYBE, ends_on=MAYBE)
SESSION = _object(
    id=TEXT, kind=TEXT, title=TEXT, about=TEXT, room=TEXT, begins=TEXT, ends=TEXT, presenters=TEXTS, pool=MAYBE,
    published=YES, cancelled=MAYBE, reason=TEXT, places={"type": ["integer", "null"]},
)  # fmt: skip
POOL = _object(
    id=TEXT, kind=TEXT, name=TEXT, room=TEXT, begins=MAYBE, ends=MAYBE,
    **dict.fromkeys(("capacity", "reserve", "booked", "held", "offered", "waiting", "left"), NUMBER),
)  # fmt: skip
#: and “answer: ...” for each question of the form
APPLICATION = _object(
    id=TEXT, state=TEXT, pending=TEXT, artist=TEXT, guest=TEXT, name=TEXT, email=TEXT, title=TEXT, about=TEXT,
    licence=TEXT, sent=TEXT, files=TEXTS,
)  # fmt: skip
CHECK_IN = _object(
    id=NUMBER, at=TEXT, door=TEXT, pool=TEXT, place=TEXT, guest=TEXT, name=TEXT, way=TEXT, offline=YES, undone=MAYBE
)
ANSWER = _object(nonce=TEXT, answer=TEXT, name=TEXT, pool=TEXT, at=TEXT, offline=YES, tone=TEXT, word=TEXT,
                 message=TEXT, hint=TEXT)  # fmt: skip
ENTRY = _object(door=TEXT, code=TEXT, nonce={"type": "string", "minLength": 16, "maxLength": 64}) | {
    "additionalProperties": False
}
PATHS: dict[str, Any] = {
    "/api/event": {"get": _call("Which event it is.", EVENT)},
    "/api/event/programme": {
        "get": _call("The programme: what everybody may see; with a token unpublished sessions, too.", _items(SESSION))
    },
    "/api/event/places": {
        "get": _call("What there is places for, and how many are left.", _items(POOL), Scope.PLACES),
    },
    "/api/event/applications": {
        "get": _call("Applications that were sent in.", _items(APPLICATION, True), Scope.APPLICATIONS, True),
    },
    "/api/event/applications/{id}": {
        "get": _call("One application.", APPLICATION, Scope.APPLICATIONS, parameters=[BY_ID]),
    },
    "/api/event/check-ins": {
        "get": _call("Who came in, oldest first.", _items(CHECK_IN, True), Scope.CHECK_INS, True),
        "post": _call(
            "Let somebody in, or be told why not; the same nonce is answered the same.", ANSWER, Scope.CHECK_IN,
            requestBody={"required": True, "content": {"application/json": {"schema": ENTRY}}},
        ),
    },
}  # fmt: skip
SCHEMES = {"token": {"type": "http", "scheme": "bearer", "description": "made backstage, under “Data out”"}}
