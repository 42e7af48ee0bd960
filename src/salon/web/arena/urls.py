from django.urls import path

from salon.web.arena import views

app_name = "arena"
urlpatterns = [
    path("arena", views.arena, name="arena"),
    path("arena/leaderboard", views.leaderboard, name="leaderboard"),
    path("arena/leaderboard.json", views.leaderboard_json, name="leaderboard_json"),
    path("arena/votes.csv", views.votes_csv, name="votes_csv"),
    path("arena/votes.json", views.votes_json, name="votes_json"),
    path("arena/reviewers/<str:token>", views.reviewers, name="reviewers"),
    path("arena/<slug:battle_id>", views.battle, name="battle"),
    path("arena/<slug:battle_id>/state", views.state, name="state"),
    path("arena/<slug:battle_id>/vote", views.vote, name="vote"),
    path("arena/<slug:battle_id>/<slug:side>.png", views.picture, name="picture"),
]
