"""People of the house for tests, with roles at the current event."""

from asgiref.sync import async_to_sync

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
