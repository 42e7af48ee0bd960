from django.urls import path

from salon.web.gallery import views

app_name = "gallery"
urlpatterns = [
    path("gallery", views.gallery, name="gallery"),
    path("gallery/search", views.search, name="search"),
    path("gallery/feed.xml", views.feed, name="feed"),
    path("works/<slug:work_id>", views.work, name="work"),
    path("works/<slug:work_id>.png", views.work_file, name="work_file"),
    path("works/<slug:work_id>.webp", views.work_given, name="work_given"),
    path("works/<slug:work_id>/card.jpg", views.card, name="card"),
    path("works/<slug:work_id>/qr.svg", views.work_qr, name="work_qr"),
    path("works/<slug:work_id>/withdraw", views.withdraw, name="withdraw"),
    path("backstage/works/<slug:work_id>/picture", views.backstage_picture, name="backstage_picture"),
    path("backstage/works/<slug:work_id>/erase", views.remove_given, name="remove_given"),
    path("images/<slug:image_id>/hang", views.propose, name="propose"),
    path("mine", views.mine, name="mine"),
    path("mine/qr.svg", views.mine_qr, name="mine_qr"),
    path("mine/take/<str:token>", views.take, name="take"),
    path("mine/forget", views.forget, name="forget"),
]
