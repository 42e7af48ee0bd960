"""What stands behind the question mark of an address: anybody can type it there."""

from django.http import QueryDict


def number(query: QueryDict, name: str, most: int = 1_000_000) -> int:
    """A number of things from 0 to `most`; 0 for anything else."""
    text = query.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
