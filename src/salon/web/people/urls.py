"""Routes of the room: a guest's own page, and people's data backstage."""

from django.urls import path

from salon.web.people import data, private

app_name = "people"
urlpatterns = [
    path("you", private.home, name="private"),
    path("you/details", private.details, name="details"),
    path("you/data.json", private.data, name="own_data"),
    path("you/consent", private.consent, name="consent"),
    path("you/link", private.new_link, name="new_link"),
    path("you/leave", private.leave, name="leave"),
    path("you/erase", private.erase, name="erase_self"),
    path("you/<str:token>", private.enter, name="private_link"),
    path("backstage/data", data.home, name="data"),
    path("backstage/data/keep", data.keep, name="keep"),
    path("backstage/data/due", data.erase_due, name="erase_due"),
    path("backstage/data/texts", data.publish, name="publish"),
    path("backstage/data/<slug:guest_id>", data.one, name="data_one"),
    path("backstage/data/<slug:guest_id>/export.json", data.export, name="export"),
    path("backstage/data/<slug:guest_id>/link", data.link, name="link"),
    path("backstage/data/<slug:guest_id>/erase", data.erase, name="erase"),
]
