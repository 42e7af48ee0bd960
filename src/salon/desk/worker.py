"""`python -m salon.desk.worker`: letters, expiries, retention: what has time until nobody else wants the processor."""

import os
import signal
import sys
import threading

#: how far it steps back behind those who draw and answer
NICE = 15
#: seconds that the duty at hand gets to end
PATIENCE = 3.0


def main() -> int:
    """Until told to stop (0); 1 if its duties ended by themselves."""
    from salon.core.limits import raise_open_files

    raise_open_files()
    os.nice(NICE)  # before anything is loaded: a house that opens must not wait for its letters
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")

    import django

    django.setup()
    from salon.web.mail import worker

    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (worker.stop(), done.set()))
    # a thread of its own: a mail server that hangs cannot keep the house from closing
    thread = threading.Thread(target=_work, args=(done,), daemon=True)
    thread.start()
    done.wait()
    thread.join(PATIENCE)
    return 0 if worker.stopping() else 1


def _work(done: threading.Event) -> None:
    from salon.web.mail import worker

    try:
        worker.work()
    finally:
        done.set()


if __name__ == "__main__":
    sys.exit(main())
