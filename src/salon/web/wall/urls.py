from django.urls import path

from salon.web.wall import views

app_name = "wall"
urlpatterns = [
    path("wall", views.wall, name="wall"),
    path("wall/works.json", views.works, name="works"),
    path("wall/updates", views.updates, name="updates"),
    path("wall/enter/<str:token>", views.enter, name="enter"),
    path("wall/worker.js", views.worker, name="worker"),
]
