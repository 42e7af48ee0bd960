"""All routes of the house."""

from django.urls import include, path

urlpatterns = [
    path("", include(f"salon.web.{room}.urls")) for room in ("station", "gallery", "refuses", "wall", "backstage")
]

handler400 = "salon.web.answers.bad_request"
handler403 = "salon.web.answers.forbidden"
handler404 = "salon.web.answers.not_found"
handler500 = "salon.web.answers.server_error"
