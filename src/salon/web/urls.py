"""All routes of the house."""

from django.urls import include, path

from salon.web import languages

ROOMS = (
    "events", "station", "arena", "gallery", "refuses", "wall",
    "mail", "people", "seats", "programme", "call", "jury", "doors", "exports", "backstage",
)  # fmt: skip
urlpatterns = [
    path("language", languages.choose, name="language"),
    *(path("", include(f"salon.web.{room}.urls")) for room in ROOMS),
]

handler400 = "salon.web.answers.bad_request"
handler403 = "salon.web.answers.forbidden"
handler404 = "salon.web.answers.not_found"
handler500 = "salon.web.answers.server_error"
