"""Routes of the room."""

from django.urls import path

from salon.web.mail import backstage, views

app_name = "mail"
urlpatterns = [
    path("you/lost", views.lost_link, name="lost"),
    path("backstage/mail", backstage.outbox_page, name="backstage"),
    path("backstage/mail/change", backstage.change, name="change"),
    path("backstage/mail/wordings", backstage.wordings, name="wordings"),
    path("backstage/mail/wordings/<slug:kind>/<slug:language>", backstage.wording, name="wording"),
    path("backstage/mail/<slug:letter_id>", backstage.letter, name="letter"),
]
