"""Routes of the room."""

from django.urls import path

from salon.web.call import backstage, views
from salon.web.events.views import small_sum

app_name = "call"
urlpatterns = [
    path("call", views.call, name="call"),
    path("call/begin", views.begin, name="begin"),
    path("call/code", views.code, name="code"),
    path("call/sum", small_sum, name="challenge"),
    path("call/<slug:submission_id>", views.one, name="one"),
    path("call/<slug:submission_id>/edit", views.edit, name="edit"),
    path("call/<slug:submission_id>/code", views.late_code, name="late_code"),
    path("call/<slug:submission_id>/files/<slug:upload_id>", views.original, name="original"),
    path("call/<slug:submission_id>/files/<slug:upload_id>/shown", views.shown, name="shown"),
    path("call/<slug:submission_id>/<slug:deed>", views.act, name="act"),
    path("backstage/call", backstage.home, name="backstage"),
    path("backstage/call/apply", backstage.apply, name="apply"),
    path("backstage/call/form", backstage.form, name="form"),
    path("backstage/call/set", backstage.set_call, name="set"),
    path("backstage/call/preview", backstage.preview, name="preview"),
    path("backstage/call/codes", backstage.codes_page, name="codes"),
    path("backstage/call/codes/<int:code_id>/revoke", backstage.revoke, name="revoke"),
    path("backstage/call/questions", backstage.add, name="add_question"),
    path("backstage/call/questions/<int:question_id>", backstage.change, name="question"),
    path("backstage/call/questions/<int:question_id>/<slug:deed>", backstage.reorder, name="reorder"),
    path("backstage/call/files/<slug:upload_id>", backstage.original, name="backstage_original"),
    path("backstage/call/files/<slug:upload_id>/shown", backstage.shown, name="backstage_shown"),
    path("backstage/call/<slug:submission_id>", backstage.one, name="application"),
    path("backstage/call/<slug:submission_id>/decide", backstage.decide, name="decide"),
]
