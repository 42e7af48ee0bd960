"""A visitor's side: proposing an image, seeing how it stands, withdrawing it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _
from msgspec import Struct

from salon.core.errors import BadRecipe
from salon.core.text import tidy
from salon.web.arena.domain import leaving
from salon.web.events.domain import lock_current_event
from salon.web.events.models import Entry, Event
from salon.web.events.trail import note
from salon.web.events.tries import HOUR
from salon.web.gallery.models import Licence, TakenAlong, Work
from salon.web.people.personal import press_out
from salon.web.refuses.domain import reporting
from salon.web.refuses.models import Report
from salon.web.station.domain.erasing import erase_visitor
from salon.web.station.domain.intake import TooManyWaiting
from salon.web.station.domain.visitors import KNOWN, Standing, take_share
from salon.web.station.models import Drawing, Image, Request

#: requests on a page of one's own
REQUESTS_A_PAGE = 12
#: proposals in an hour: of one visitor, of all strangers together, from one network, in all
MOST_A_VISITOR, STRANGERS, MOST_A_SOURCE, MOST = 40, 30, 120, 600
LENGTHS = {"title": 120, "maker": 80, "statement": 1000}


class Proposal(Struct, frozen=True, kw_only=True):
    """What the form says, tidied: control characters, bidi overrides and surplus blanks away."""

    title: str
    maker: str = ""
    statement: str = ""
    licence: str = Licence.ALL_RIGHTS
    may_show: bool = False
    may_print: bool = False
    may_publish_prompt: bool = False


def read_proposal(form: Mapping[str, Any]) -> tuple[Proposal, dict[str, str]]:
    """The form's values, and what is wrong with them by field."""
    texts = {name: tidy(str(form.get(name, ""))) for name in LENGTHS}
    ticks = {name: bool(form.get(name)) for name in ("may_show", "may_print", "may_publish_prompt")}
    proposal = Proposal(**texts, **ticks, licence=str(form.get("licence", Licence.ALL_RIGHTS)))
    wrong = {
        name: _("At most %(most)d characters, please; these are %(count)d.") % {"most": most, "count": len(texts[name])}
        for name, most in LENGTHS.items()
        if len(texts[name]) > most
    }
    if not proposal.title:
        wrong["title"] = _("Give it a title: it stands on the label.")
    if proposal.licence not in Licence.values:
        wrong["licence"] = _("Choose one of these.")
    if not proposal.may_show:
        wrong["may_show"] = _("Without this it cannot hang.")
    return proposal, wrong


def drawn_by(visitor: str | None, image: str) -> Image | None:
    """The finished image, if this visitor had it drawn; others are not told whether it exists."""
    if visitor is None:
        return None
    mine = Drawing.objects.filter(request__visitor=visitor, request__state="finished", image_id=image)
    return Image.objects.filter(id=image).exclude(file="").first() if mine.exists() else None


def live_work(visitor: str | None, image: str) -> Work | None:
    """This visitor's work of the image that waits or hangs."""
    return Work.objects.filter(visitor=visitor, image_id=image, state__in=Work.ALIVE).first() if visitor else None


def propose(visitor: str, image: Image, proposal: Proposal, standing: Standing = KNOWN) -> tuple[Work, bool]:
    """The work, and whether it is new: sending the form twice proposes once. Raises TooManyWaiting, TooManyTries."""
    with transaction.atomic():
        event = lock_current_event()
        if found := live_work(visitor, image.id):
            return found, False
        waiting = Work.objects.filter(event=event, visitor=visitor, state=Work.State.WAITING).count()
        if waiting >= settings.SALON_PROPOSALS_PER_VISITOR:
            raise TooManyWaiting(
                _("%(count)d of your works wait for a curator already.") % {"count": waiting},
                _("Wait until one is decided, or withdraw one."),
            )
        _check_hour(event, visitor)
        take_share(event, "proposal", standing, STRANGERS, MOST_A_SOURCE, MOST)
        fields = {name: getattr(proposal, name) for name in ("title", "maker", "statement", "licence", "may_print")}
        work = Work.objects.create(
            event=event, image=image, visitor=visitor, may_publish_prompt=proposal.may_publish_prompt, **fields
        )
        note(event, "proposed", work.id, visitor=visitor)
        return work, True


def _check_hour(event: Event, visitor: str) -> None:
    """Proposing and withdrawing in turn has an end: counted by the trail. Raises TooManyWaiting."""
    lately = Entry.objects.filter(event=event, deed="proposed", visitor=visitor, at__gt=timezone.now() - HOUR)
    if lately.count() >= MOST_A_VISITOR:
        raise TooManyWaiting(
            _("You have proposed %(count)d works within the hour.") % {"count": MOST_A_VISITOR}, _("Come back later.")
        )


def withdraw(visitor: str, work_id: str) -> Work:
    """Takes the visitor's own work back, at any time; doing it twice changes nothing. Raises BadRecipe."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        work = Work.objects.filter(id=work_id, visitor=visitor).first()
        if work is None:
            raise BadRecipe(_("There is no work of yours by that name."), _("Look at what you drew."))
        if work.state in Work.ALIVE:
            work.state, work.reason = Work.State.WITHDRAWN, ""
            work.save(update_fields=["state", "reason"])
            note(event, "withdrawn", work.id, visitor=visitor)
        return work


def works_of(visitor: str | None) -> list[Work]:
    """Everything this visitor proposed, newest first."""
    return list(Work.objects.filter(visitor=visitor).select_related("image").order_by("-created_at")) if visitor else []


def drawn(visitor: str | None, number: str) -> Page:
    """A page of what this visitor had drawn, newest first: rows of `words`, `at`, `images`, a request each. Any
    `number` is some page."""
    asked = Request.objects.filter(visitor=visitor, state=Request.State.FINISHED) if visitor else Request.objects.none()
    there = asked.filter(Exists(Drawing.objects.filter(request=OuterRef("pk")).exclude(image__file="")))
    page = Paginator(there.order_by("-created_at", "id"), REQUESTS_A_PAGE).get_page(number)
    pictures = Prefetch("drawings", Drawing.objects.exclude(image__file="").select_related("image"), to_attr="kept")
    page.object_list = [_row(request) for request in page.object_list.prefetch_related(pictures)]
    return page


def _row(request: Request) -> dict[str, Any]:
    images = [{"id": drawing.image_id, "prompt": drawing.image.recipe.prompt} for drawing in request.kept]
    words = list(dict.fromkeys(image["prompt"] for image in images))
    return {"words": " · ".join(words), "at": request.created_at, "images": images}


def live_images(visitor: str) -> Any:
    """Images of which this visitor has a work that waits or hangs."""
    return Work.objects.filter(visitor=visitor, state__in=Work.ALIVE).values("image_id")


def forget(visitor: str) -> tuple[list[str], list[str]]:
    """Everything of this visitor goes: works come down, images that nobody else has are erased, requests keep nothing
    that leads back. Names of the works that hung, and of the requests that were open."""
    with transaction.atomic():
        event = lock_current_event(even_archived=True)
        mine = Work.objects.filter(visitor=visitor)
        hung = list(mine.filter(state=Work.State.HUNG).values_list("id", flat=True))
        gone, reports = mine.count(), Report.objects.filter(visitor=visitor).exists()
        drawn = Request.objects.filter(visitor=visitor).exists()
        mine.delete()
        reporting.forget(visitor)
        stopped = leaving.forget(visitor) + erase_visitor(visitor)
        TakenAlong.objects.filter(visitor=visitor).delete()
        Entry.objects.filter(visitor=visitor).update(visitor="")
        if gone or stopped or reports or drawn:
            note(event, "forgotten", "", text=str(gone))
        transaction.on_commit(press_out, robust=True)
    return hung, stopped
