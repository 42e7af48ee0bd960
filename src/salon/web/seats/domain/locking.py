"""The one lock of this room.

A pool and the pools that share its laptops are a family: what is free in one depends on the others. Whoever changes a
place holds the family's lock: on SQLite the transaction is it (IMMEDIATE), on PostgreSQL the row of the family's root,
several in the order of their ids, so that nobody waits for somebody who waits for them. What is free is counted from
rows while the lock is held, never kept.
"""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe
from salon.web.seats.models import Pool


class Family(NamedTuple):
    """A pool that others need (or one alone) and all that need it, as they are while the lock is held."""

    root: Pool
    pools: dict[str, Pool]
    now: datetime.datetime


@contextmanager
def locked(*pool_ids: str) -> Iterator[dict[str, Family]]:
    """A transaction that holds the locks of these pools' families; pool id -> family. Raises BadRecipe."""
    with transaction.atomic():
        yield hold(pool_ids)


def hold(pool_ids: Iterable[str]) -> dict[str, Family]:
    """The same inside a transaction that is open."""
    wanted = set(pool_ids)
    if not connection.features.has_select_for_update:  # the transaction is the lock
        return families(wanted)
    roots = {pool: family.root.id for pool, family in families(wanted).items()}
    while True:
        # no_key: rows that only point here (a place, an invitation) need not wait for us
        list(Pool.objects.select_for_update(no_key=True).filter(id__in=set(roots.values())).order_by("id"))
        found = families(wanted)
        if (now := {pool: family.root.id for pool, family in found.items()}) == roots:
            return found
        roots = now  # whom a pool needs was changed while we waited


def families(pool_ids: Iterable[str]) -> dict[str, Family]:
    """Pool id -> family, as they are now, by one query. Raises BadRecipe for a pool that there is not."""
    wanted = set(pool_ids)
    roots = Pool.objects.filter(id__in=wanted).order_by().values_list(Coalesce("needs_id", "id"))
    found = Pool.objects.filter(Q(id__in=roots) | Q(needs__in=roots)).select_related("event", "room").order_by()
    pools = {pool.id: pool for pool in found}
    if not wanted <= pools.keys():
        raise BadRecipe(_("There is no such place to take."), _("Look at what there is under Places."))
    now = timezone.now()
    made = {}
    for root in pools.values():
        if root.needs_id is None:
            made[root.id] = Family(root, {p.id: p for p in pools.values() if root.id in (p.id, p.needs_id)}, now)
    for pool in pools.values():
        if pool.needs_id:
            pool.needs = pools[pool.needs_id]
    return {pool: made[pools[pool].needs_id or pool] for pool in wanted}
