from django.urls import path

from salon.web.refuses import views

app_name = "refuses"
urlpatterns = [
    path("refuses", views.room, name="room"),
    path("refuses/<slug:finding_id>", views.finding, name="finding"),
    path("refuses/<slug:finding_id>.png", views.picture, name="picture"),
    path("images/<slug:image_id>/report", views.report, name="report"),
    path("reports/<slug:report_id>/credit", views.credit, name="credit"),
    path("reports/<slug:report_id>/withdraw", views.withdraw, name="withdraw"),
]
