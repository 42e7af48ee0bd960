"""People of the house for tests, with roles at the current event."""

import threading

import altcha
from asgiref.sync import async_to_sync
from django.db import connection

from salon.web.events import sums
from salon.web.events.domain import current_event
from salon.web.people.models import Role, User


def hand(name, *kinds, **more):
    """An account with these roles; none named: a curator."""
    user = User.objects.create_user(name, is_staff=True, **more)
    for kind in kinds or ("curator",):
        Role.objects.create(user=user, event=current_event(), kind=kind)
    return user


def body(response):
    """A streamed answer, as a server would send it."""

    async def gathered():
        return b"".join([part async for part in response.streaming_content])

    return async_to_sync(gathered)()


def solved(challenge=None):
    """The small sum, done: what a browser sends."""
    made = altcha.Challenge.from_dict(challenge or sums.challenge())
    return altcha.Payload(made, altcha.solve_challenge(made)).to_base64()


def at_once(*deeds):
    """Does them at the same moment, each in a thread: what each returned, or the error that it raised, as they end."""
    said, start = [], threading.Barrier(len(deeds))

    def run(deed):
        start.wait()
        try:
            said.append(deed())
        except Exception as error:  # whoever asked says which errors may be
            said.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said
