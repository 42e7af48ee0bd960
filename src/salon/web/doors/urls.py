"""Routes of the room."""

from django.urls import path

from salon.web.doors import api, backstage, page, views

app_name = "doors"
urlpatterns = [
    path("tickets/<slug:place_id>", views.ticket, name="ticket"),
    path("tickets/<slug:place_id>/renew", views.renew, name="renew"),
    path("tickets/<slug:place_id>/give-back", views.give_back, name="give_back"),
    path("tickets/<slug:place_id>.<slug:kind>", views.file, name="file"),
    path("door", page.door, name="door"),
    path("door/enter/<str:token>", page.enter, name="enter"),
    path("door/updates", page.updates, name="updates"),
    path("door/worker.js", page.worker, name="worker"),
    path("api/door/redeem", api.redeem, name="redeem"),
    path("api/door/undo", api.undo, name="undo"),
    path("api/door/walk-in", api.walk_in, name="walk_in"),
    path("api/door/search", api.search, name="search"),
    path("api/door/state", api.state, name="state"),
    path("backstage/doors", backstage.home, name="backstage"),
    path("backstage/doors/new", backstage.change, {"door_id": ""}, name="new"),
    path("backstage/doors/conflicts/<int:refusal_id>", backstage.settle, name="settle"),
    path("backstage/doors/<slug:door_id>", backstage.one, name="one"),
    path("backstage/doors/<slug:door_id>/change", backstage.change, name="change"),
    path("backstage/doors/<slug:door_id>/remove", backstage.remove, name="remove"),
    path("backstage/doors/<slug:door_id>/devices", backstage.post, name="post"),
    path("backstage/doors/<slug:door_id>/devices/<slug:device_id>", backstage.revoke, name="revoke"),
    path("backstage/doors/<slug:door_id>/let-in", backstage.let_in, name="let_in"),
    path("backstage/doors/<slug:door_id>/undo", backstage.undo, name="undo_entry"),
    path("backstage/doors/<slug:door_id>/list.pdf", backstage.list_pdf, name="list_pdf"),
]
