"""Routes of the room."""

from django.urls import path

from salon.web.events import backstage, views

app_name = "events"
urlpatterns = [
    path("event", views.event, name="event"),
    path("privacy", views.privacy, name="privacy"),
    path("sum", views.small_sum, name="sum"),
    path("events/<slug:slug>", views.event, name="other"),
    path("events/<slug:slug>/privacy", views.privacy, name="other_privacy"),
    path("events/<slug:slug>/logo.png", views.logo, name="logo"),
    path("walls/<slug:colour>.css", views.wall, name="wall"),
    path("backstage/event", backstage.overview, name="backstage"),
    path("backstage/events", backstage.listing, name="events"),
    path("backstage/new-event", backstage.new, name="new"),
    path("backstage/demo-event", backstage.demo_event, name="demo"),
    path("backstage/events/<slug:slug>", backstage.one, name="one"),
    path("backstage/events/<slug:slug>/preview", backstage.preview, name="preview"),
    path("backstage/events/<slug:slug>/logo", backstage.logo, name="set_logo"),
    path("backstage/events/<slug:slug>/<slug:name>", backstage.step, name="step"),
    path("backstage/events/<slug:slug>/do/<slug:deed>", backstage.change, name="change"),
]
