"""A mail server of our own, on this machine: it says what it is told to say, and keeps what it was given."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class PostOffice(socketserver.ThreadingTCPServer):
    """`says` maps a verb ("RCPT", "DATA", ".") to the answer instead of the usual one; "" cuts the line there."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.says: dict[str, str] = {}
        self.raw: list[tuple[str, bytes]] = []
        #: called with the receiver when a text is complete, before it is answered
        self.on_text = lambda receiver: None

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(data, policy=policy.default) for _to, data in self.raw]

    @property
    def receivers(self) -> list[str]:
        return [to for to, _data in self.raw]


class _Clerk(socketserver.StreamRequestHandler):
    server: PostOffice
    usual = {"EHLO": "250 here", **dict.fromkeys(("MAIL", "RCPT", "RSET", "."), "250 ok"), "DATA": "354 go"}

    def say(self, verb: str) -> bool:
        words = self.server.says.get(verb, self.usual.get(verb, "502 what?"))
        if words:
            self.wfile.write(f"{words}\r\n".encode())
        return bool(words)

    def handle(self) -> None:
        self.wfile.write(b"220 post\r\n")
        receiver = ""
        for line in self.rfile:
            verb = line[:4].decode("latin-1").upper().strip()
            if verb == "QUIT":
                return
            if verb == "RCPT":
                receiver = line.decode().partition("<")[2].partition(">")[0]
            if not self.say(verb):
                return
            if verb == "DATA" and self.server.says.get("DATA", "354")[:3] == "354":
                lines = iter(self.rfile.readline, b".\r\n")
                text = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
                self.server.on_text(receiver)
                if self.server.says.get(".", "250")[:3] in ("250", ""):
                    self.server.raw.append((receiver, text))
                if not self.say("."):
                    return


@contextmanager
def open_post_office() -> Iterator[PostOffice]:
    """The server, running in a thread until the block is left."""
    with PostOffice() as office:
        thread = threading.Thread(target=office.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield office
        office.shutdown()
