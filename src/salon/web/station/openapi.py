"""The API's OpenAPI document, made from the types that the API itself reads."""

from collections.abc import Mapping
from typing import Any

import msgspec

from salon.core.hashing import NAME_DIGITS
from salon.web.station.domain.intake import Ask, Proof

ERROR = {
    "type": "object",
    "required": ["code", "message", "hint"],
    "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
}
IMAGE = {
    "type": "object",
    "required": ["index", "id", "seed", "url", "src", "difference", "withheld", "score"],
    "properties": {
        **{name: {"type": "integer"} for name in ("index", "seed")},
        **{name: {"type": "string"} for name in ("id", "url", "src")},
        "difference": {"type": ["integer", "null"], "minimum": 0, "maximum": 255},
        "withheld": {"type": "boolean"},
        "score": {"type": ["number", "null"], "description": "CLIP's cosine with the prompt; null: it has not looked"},
    },
}
STATE = {
    "type": "object",
    "required": ["id", "state", "images", "updates"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": ["waiting", "running", "finished", "refused", "failed", "cancelled"]},
        "prompt": {"type": "string"},
        "model": {"type": "string"},
        "images": {"type": "array", "items": IMAGE},
        "updates": {"type": "string"},
        "position": {"type": "integer"},
        "seconds": {"type": ["number", "null"]},
        "words": {"type": "array"},
        "unused": {"$ref": "#/components/schemas/Unused"},
    },
}
UNUSED = {
    "type": "array",
    "description": "What of the request changes nothing, such as words beyond what the models read.",
    "items": {
        "type": "object",
        "required": ["field", "message", "words"],
        "properties": {
            "field": {"type": "string"},
            "message": {"type": "string"},
            "words": {"type": "array", "items": {"type": "string"}},
        },
    },
}
KNOWN = {"type": "object", "required": ["known"], "properties": {"known": {"type": "boolean"}}}
REQUEST_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}
#: statuses that any call may answer, and what they mean
MISHAPS = {
    "400": "This cannot be drawn as asked.",
    "403": "Not yours, or sent from another site.",
    "404": "There is nothing of that name.",
    "405": "This address does not answer that method.",
    "413": "More than this salon reads at once.",
    "422": "Refused, or no such model.",
    "429": "As much as one visitor, or all strangers together, may have is waiting, or is followed, already.",
    "503": "The engine is away, the line is full, or the disk is.",
}


USED = {**MISHAPS, "409": "The sum has been used."}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def call(
    summary: str,
    status: str,
    schema: dict[str, Any],
    kind: str = "application/json",
    mishaps: Mapping[str, str] = MISHAPS,
    **more: Any,
) -> Any:
    """An operation that answers `status` with `schema`, or one of `mishaps`."""
    errors = {code: {"description": said, "content": _json(ERROR)} for code, said in mishaps.items()}
    answer = {"description": summary, "content": {kind: {"schema": schema}}}
    return {"summary": summary, "responses": {status: answer, **errors}, **more}


_paths: dict[str, Any] = {}
_schemes: dict[str, Any] = {}


def extend(paths: Mapping[str, Any], schemes: Mapping[str, Any]) -> None:
    """Called by other rooms in their `apps.py`: their calls, and their ways of saying who asks."""
    _paths.update(paths)
    _schemes.update(schemes)


def document() -> dict[str, Any]:
    """OpenAPI 3.1, as at `/api/openapi.json`."""
    schemas = msgspec.json.schema_components([Ask, Proof], ref_template="#/components/schemas/{name}")[1]
    schemas["Ask"]["properties"]["image"]["description"] = f"{NAME_DIGITS} hex digits"
    body = {"required": True, "content": _json({"$ref": "#/components/schemas/Ask"})}
    said = {"prompt": {"type": "string", "maxLength": 1000}, "negative_prompt": {"type": "string", "maxLength": 1000},
            "guidance_scale": {"type": "number"}}  # fmt: skip
    words = [{"name": name, "in": "query", "schema": schema} for name, schema in said.items()]
    schemas["Unused"] = UNUSED
    proof = {"required": True, "content": _json({"$ref": "#/components/schemas/Proof"})}
    listing = {"type": "object", "properties": {"models": {"type": "array"}}}
    unused = {"$ref": "#/components/schemas/Unused"}
    far = {"type": "object", "properties": {"words": {"type": "array"}, "unused": unused}}
    paths = {
        "/api/requests": {"post": call("Ask for images.", "202", STATE, requestBody=body)},
        "/api/requests/{id}": {"get": call("How a request stands.", "200", STATE, parameters=[REQUEST_ID])},
        "/api/requests/{id}/cancel": {"post": call("Stop it.", "200", STATE, parameters=[REQUEST_ID])},
        "/api/requests/{id}/updates": {
            "get": call("Its updates, as server-sent events.", "200", {"type": "string"}, "text/event-stream",
                         parameters=[REQUEST_ID])
        },
        "/sum": {"get": call("A small sum to do: altcha's challenge.", "200", {"type": "object"})},
        "/api/ticket": {
            "post": call("A ticket of one's own for the sum.", "200", KNOWN, requestBody=proof, mishaps=USED)
        },
        "/api/models": {"get": call("Installed models, their defaults and ranges.", "200", listing)},
        "/api/words": {
            "get": call("Words far from the model's vocabulary, and what would change nothing.", "200", far,
                         parameters=words)
        },
    }  # fmt: skip
    ticket = {"type": "http", "scheme": "bearer", "description": "the visitor's signed ticket; a cookie does as well"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Latent Salon",
            "version": "1",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths | _paths,
        "components": {"schemas": schemas, "securitySchemes": {"ticket": ticket} | _schemes},
        "security": [{}, {"ticket": []}],
    }
