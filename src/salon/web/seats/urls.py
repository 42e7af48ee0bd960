"""Routes of the room."""

from django.urls import path

from salon.web.seats import backstage, views

app_name = "seats"
urlpatterns = [
    path("places", views.listing, name="places"),
    path("places/mine/<str:token>", views.mine, name="mine"),
    path("places/mine/<str:token>/state", views.state, name="state"),
    path("places/<slug:pool_id>", views.pool, name="pool"),
    path("backstage/places", backstage.home, name="backstage"),
    path("backstage/places/numbers", backstage.numbers, name="numbers"),
    path("backstage/places/new/<slug:preset>", backstage.new, name="new"),
    path("backstage/places/one/<slug:place_id>", backstage.link, name="link"),
    path("backstage/places/one/<slug:place_id>/move", backstage.move, name="move"),
    path("backstage/places/one/<slug:place_id>/<slug:deed>", backstage.place, name="place"),
    path("backstage/places/<slug:pool_id>", backstage.manage, name="manage"),
    path("backstage/places/<slug:pool_id>/list", backstage.paper, name="paper"),
    path("backstage/places/<slug:pool_id>/remove", backstage.remove, name="remove"),
    path("backstage/places/<slug:pool_id>/give", backstage.give, name="give"),
    path("backstage/places/<slug:pool_id>/door", backstage.at_door, name="at_door"),
    path("backstage/places/<slug:pool_id>/invite", backstage.invite, name="invite"),
    path("backstage/places/<slug:pool_id>/<slug:deed>", backstage.act, name="act"),
]
