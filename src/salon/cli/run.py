"""`salon run`: open the house."""

import argparse

from salon.cli.arguments import number


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon run`."""
    text = "serve the station: web pages, engine and all, until Ctrl-C"
    codes = "Ends with 0 when it is closed on purpose, 2 if it cannot open here, 1 if it ended in any other way."
    add = commands.add_parser("run", help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=codes)
    add.add_argument("--port", type=number(1, 65535), default=8000, help="port of the web pages (default 8000)")
    add.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    text = "open it to the venue's network: phones and screens can come, QR codes name this machine's address there"
    add.add_argument("--lan", action="store_true", help=text)
    text = "serve HTTPS with a certificate of the house's own (browsers ask once whether to trust it)"
    add.add_argument("--https", action="store_true", help=text)
    add.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int | None:
    """Serve until interrupted."""
    from salon.desk import run as serve  # lazy: the desk brings Django and zmq

    host = "0.0.0.0" if arguments.lan else arguments.host
    return serve(port=arguments.port, host=host, https=arguments.https)
