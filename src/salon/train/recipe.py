"""Recipes: every hyper-parameter of a training run in one TOML file, changed by `--set key=value`."""

import copy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salon.core.errors import TrainingError

FOLDER = Path(__file__).parent / "recipes"


def names() -> list[str]:
    """Names of the recipes that come with the house."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def _value(text: Any) -> Any:
    """A TOML value if it is one, else the text itself."""
    if not isinstance(text, str):
        return text
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _place(recipe: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The table and name that `key` (`net.width`, or `width` where only one table has it) means."""
    tables = {name: table for name, table in recipe.items() if isinstance(table, dict)}
    section, dot, name = key.rpartition(".")
    found = [t for s, t in tables.items() if name in t and (not dot or s == section)]
    if not dot and name in recipe and name not in tables:
        found.append(recipe)
    if len(found) != 1:
        known = ", ".join(f"{s}.{k}" for s, t in tables.items() for k in t)
        raise TrainingError(f"The recipe has no single setting {key!r}.", f"Settings: {known}")
    return found[0], name


def load(name: str, sets: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Recipe `name` (of the house, or a path to a .toml) with `sets` written over it.

    Raises TrainingError for an unknown recipe or setting, or a value of another type."""
    path = FOLDER / f"{name}.toml" if not name.endswith(".toml") else Path(name)
    try:
        recipe = copy.deepcopy(tomllib.loads(path.read_text("utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"There is no recipe {name!r}.", f"Recipes: {', '.join(names())}") from error
    for key, text in (sets or {}).items():
        table, last = _place(recipe, key)
        value, old = _value(text), table[last]
        if isinstance(old, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(old):
            raise TrainingError(f"{key} is a {type(old).__name__}, not {text!r}.", "Check the value.")
        table[last] = value
    return recipe
