"""A visitor's page of the post: a private link that was lost."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from salon.web.events.domain import current_event
from salon.web.events.pages import rendered
from salon.web.mail import lost
from salon.web.sources import source_of


@require_http_methods(["GET", "HEAD", "POST"])
def lost_link(request: HttpRequest) -> HttpResponse:
    """`/you/lost`: an address is typed; the answer is the same for every address."""
    if request.method == "POST":
        lost.ask(current_event(), request.POST.get("email", ""), source_of(request))
        return HttpResponseRedirect(f"{reverse('mail:lost')}?{urlencode({'asked': 1})}")
    response = rendered(request, "mail/lost.html", {"asked": request.GET.get("asked")})
    response["Cache-Control"] = "no-store"
    return response
