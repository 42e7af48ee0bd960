"""People of the house for tests, with roles at the current event."""

from salon.web.events.domain import current_event
from salon.web.people.models import Role, User


def hand(name, *kinds, **more):
    """An account with these roles; none named: a curator."""
    user = User.objects.create_user(name, is_staff=True, **more)
    for kind in kinds or ("curator",):
        Role.objects.create(user=user, event=current_event(), kind=kind)
    return user
