"""SQLite keeps an index of its log in a file beside the database, so that with a full disk not even reading begins.
Then the database is opened as a file that nobody changes: what is there can be seen (of a house that was killed, up to
its log's last checkpoint), and whatever would be written says that there is no room. Each new connection tries the
usual way first."""

import sqlite3
import time
from typing import Any
from urllib.parse import quote

from django.db import OperationalError
from django.db.backends.sqlite3 import base

#: what SQLite says where there is no room
FULL = ("disk I/O error", "is full", "unable to open")
#: seconds after which a connection that can only read is opened anew
AGAIN = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, and how it stands with room."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: when this connection was opened to be read only; None: it is a usual one
        self.only_read_since: float | None = None
        self.execute_wrappers.append(self._explained)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.only_read_since = None
        try:
            return super().get_new_connection(conn_params)
        except sqlite3.OperationalError as error:
            if not any(words in str(error) for words in FULL):
                raise
            address = f"file:{quote(str(conn_params['database']))}?mode=ro&immutable=1"
            opened = super().get_new_connection({**conn_params, "database": address, "uri": True})
            self.only_read_since = time.monotonic()
            return opened

    def ensure_connection(self) -> None:
        """Threads that keep their connections must not read an old state for ever."""
        since = self.only_read_since
        if since is not None and not self.in_atomic_block and time.monotonic() - since > AGAIN:
            self.close()
        super().ensure_connection()

    def _start_transaction_under_autocommit(self) -> None:
        if self.only_read_since is None:
            super()._start_transaction_under_autocommit()
        else:
            self.cursor().execute("BEGIN")  # IMMEDIATE would be a write

    def _explained(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            if self.only_read_since is not None and "readonly" in str(error):
                raise OperationalError("the database or disk is full: it was opened to be read only") from error
            raise
