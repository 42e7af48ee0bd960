from django.urls import path

from salon.web.backstage import views

app_name = "backstage"
urlpatterns = [
    path("backstage", views.home, name="home"),
    path("backstage/login", views.login, name="login"),
    path("backstage/code", views.code, name="code"),
    path("backstage/logout", views.logout, name="logout"),
    path("backstage/enter/<str:token>", views.enter, name="enter"),
    path("backstage/works/<slug:work_id>/<slug:deed>", views.decide, name="decide"),
    path("backstage/screens", views.screens, name="screens"),
    path("backstage/lights", views.lights, name="lights"),
    path("backstage/images/<slug:image_id>/remove", views.remove, name="remove"),
    path("backstage/images/<slug:image_id>/let-in", views.let_in, name="let_in"),
    path("backstage/house", views.house, name="house"),
    path("backstage/devices", views.devices, name="devices"),
    path("backstage/devices/<slug:device_id>/revoke", views.revoke, name="revoke"),
    path("backstage/engine", views.engine, name="engine"),
    path("backstage/trail", views.trail, name="trail"),
    path("backstage/reports", views.reports, name="reports"),
    path("backstage/cheatsheet", views.cheatsheet, name="cheatsheet"),
]
