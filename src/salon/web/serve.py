"""`python -m salon.web.serve --fd N`: serves the house on a listening socket inherited from the desk.

The desk holds the socket, so that visitors who come while web is restarted wait a moment instead of being turned away.
"""

import argparse
import socket

import uvicorn

#: seconds that open streams get to end when the server is asked to stop
PATIENCE = 3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    listening = socket.socket(fileno=options.fd)
    config = uvicorn.Config(
        "salon.web.asgi:application",
        log_level="warning",
        # no handlers of its own: what it says goes the way of all logs, which tell no tokens (web/logs.py)
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=PATIENCE,
        timeout_keep_alive=75,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
