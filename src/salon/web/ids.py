"""Names of rows."""

import secrets


def new_id() -> str:
    """128 random bits: a name that nobody can guess."""
    return secrets.token_hex(16)
