from django.urls import path

from salon.web.backstage import findings, people, trail, views

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
    path("backstage/line", views.empty_line, name="line"),
    path("backstage/devices", views.devices, name="devices"),
    path("backstage/devices/<slug:device_id>/revoke", views.revoke, name="revoke"),
    path("backstage/engine", views.engine, name="engine"),
    path("backstage/trail", trail.trail, name="trail"),
    path("backstage/arena", views.arena, name="arena"),
    path("backstage/reports", views.reports, name="reports"),
    path("backstage/reports/<slug:report_id>/open", findings.open_report, name="open_report"),
    path("backstage/reports/<slug:report_id>/join", findings.join, name="join_report"),
    path("backstage/reports/<slug:report_id>/part", findings.part, name="part_report"),
    path("backstage/reports/<slug:report_id>/name", findings.see_credit, name="see_credit"),
    path("backstage/findings", findings.listing, name="findings"),
    path("backstage/findings.<slug:kind>", findings.export, name="export"),
    path("backstage/findings/<slug:finding_id>", findings.one, name="finding"),
    path("backstage/findings/<slug:finding_id>/draw", findings.draw, name="draw_finding"),
    path("backstage/findings/<slug:finding_id>/count", findings.count, name="count_finding"),
    path("backstage/findings/<slug:finding_id>/review", findings.review, name="review_finding"),
    path("backstage/findings/<slug:finding_id>/<slug:deed>", findings.change, name="change_finding"),
    path("backstage/people", people.people, name="people"),
    path("backstage/people/<int:user_id>/<slug:deed>", people.change, name="change_person"),
    path("backstage/cheatsheet", views.cheatsheet, name="cheatsheet"),
]
