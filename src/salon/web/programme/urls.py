"""Routes of the room."""

from django.urls import path

from salon.web.programme import backstage, views

app_name = "programme"
urlpatterns = [
    path("programme", views.programme, name="programme"),
    path("programme.ics", views.feed, name="feed"),
    path("programme/mine", views.mine, name="mine"),
    path("programme/mine.ics", views.mine_feed, name="mine_feed"),
    path("programme/screen", views.screen, name="screen"),
    path("programme/screen.json", views.screen_json, name="screen_json"),
    path("programme/<slug:session_id>", views.session, name="session"),
    path("programme/<slug:session_id>.ics", views.session_feed, name="session_feed"),
    path("programme/<slug:session_id>/star", views.star, name="star"),
    path("backstage/programme", backstage.home, name="backstage"),
    path("backstage/programme/new", backstage.new, name="new"),
    path("backstage/programme/paste", backstage.paste, name="paste"),
    path("backstage/programme/publish", backstage.publish, name="publish"),
    path("backstage/programme/days", backstage.days, name="days"),
    path("backstage/programme/zone", backstage.zone, name="zone"),
    path("backstage/programme/<slug:session_id>", backstage.edit, name="edit"),
    path("backstage/programme/<slug:session_id>/shift", backstage.shift, name="shift"),
    path("backstage/programme/<slug:session_id>/<slug:deed>", backstage.step, name="step"),
]
