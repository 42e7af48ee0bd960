from django.urls import path, re_path

from salon.web.exports import api, backstage

app_name = "exports"
urlpatterns = [
    path("api/event", api.event, name="api_event"),
    path("api/event/programme", api.programme, name="api_programme"),
    path("api/event/places", api.places, name="api_places"),
    path("api/event/applications", api.applications, name="api_applications"),
    path("api/event/applications/<slug:application_id>", api.application, name="api_application"),
    path("api/event/check-ins", api.check_ins, name="api_check_ins"),
    path("backstage/exports", backstage.home, name="backstage"),
    path("backstage/exports/tokens/<int:token_id>/revoke", backstage.revoke, name="revoke"),
    re_path(r"^backstage/exports/(?P<name>[a-z-]+)\.(?P<ending>csv|json)$", backstage.table, name="table"),
]
