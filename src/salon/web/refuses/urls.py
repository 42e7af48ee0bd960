from django.urls import path

from salon.web.refuses import views

app_name = "refuses"
urlpatterns = [path("images/<slug:image_id>/report", views.report, name="report")]
