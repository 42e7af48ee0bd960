from django.urls import path

from salon.web.station import api, views

app_name = "station"
urlpatterns = [
    path("", views.home, name="home"),
    path("station", views.station, name="station"),
    path("station/machines", views.four_machines, name="machines"),
    path("station/machines/updates", api.updates_together, name="machines_updates"),
    path("station/leave", views.leave, name="leave"),
    path("station/enter/<str:token>", views.enter, name="enter"),
    path("images/<slug:image_id>", views.image, name="image"),
    path("images/<slug:image_id>.png", views.image_file, name="image_file"),
    path("images/<slug:image_id>/redraw", views.redraw, name="redraw"),
    path("healthz", views.healthz, name="healthz"),
    path("api/requests", api.requests, name="api_requests"),
    path("api/requests/<slug:request_id>", api.request_state, name="api_request"),
    path("api/requests/<slug:request_id>/updates", api.updates, name="api_updates"),
    path("api/requests/<slug:request_id>/cancel", api.cancel, name="api_cancel"),
    path("api/openapi.json", api.openapi, name="api_openapi"),
    path("api/ticket", api.ticket, name="api_ticket"),
    path("api/models", api.models, name="api_models"),
    path("api/words", api.words, name="api_words"),
]
