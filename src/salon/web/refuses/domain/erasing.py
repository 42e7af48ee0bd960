"""What a withdrawn finding leaves behind: numbers."""

from salon.web.refuses.models import Finding
from salon.web.station.domain.erasing import erase_drawings
from salon.web.station.domain.intake import cancel
from salon.web.station.models import Drawing, Request


def empty(finding: Finding) -> list[str]:
    """Inside a transaction: words, labels, reviews and fresh pictures go; how many were asked for and what came of them
    stays. Returns the names of the requests that were open, for the desk to stop drawing."""
    requests = list(Request.objects.filter(fresh__finding=finding).distinct())
    stopped = [request.id for request in requests if cancel(request)]
    for rows in (finding.fresh, finding.counts, finding.reviews):
        rows.all().delete()
    state = Finding.State.WITHDRAWN
    kept = {"id", "event_id", "asked", "outcomes", "created_at", "state"}
    blank = Finding(id=finding.id, event_id=finding.event_id, state=state)
    fields = [f.attname for f in Finding._meta.concrete_fields if f.attname not in kept]
    Finding.objects.filter(id=finding.id).update(state=state, **{name: getattr(blank, name) for name in fields})
    erase_drawings(Drawing.objects.filter(request__in=requests))
    return stopped
