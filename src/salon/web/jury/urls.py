from django.urls import path, re_path

from salon.web.jury import backstage, judging

app_name = "jury"
PHASE = "backstage/jury/phases/<int:phase_id>"
JUDGE = "backstage/jury/judge/<slug:assignment_id>"
urlpatterns = [
    path("backstage/jury", backstage.home, name="backstage"),
    path("backstage/jury/queue", judging.queue, name="queue"),
    path(JUDGE, judging.judge, name="judge"),
    path(f"{JUDGE}/pictures/<int:number>", judging.picture, name="picture"),
    path(f"{JUDGE}/files/<int:number>", judging.file, name="file"),
    path(f"{JUDGE}/conflict", judging.declare, name="declare"),
    path("backstage/jury/phases/new", backstage.new, name="new"),
    path(PHASE, backstage.phase, name="phase"),
    path(f"{PHASE}/category", backstage.category, name="category"),
    path(f"{PHASE}/remove", backstage.remove, name="remove"),
    path(f"{PHASE}/asking", backstage.asking, name="asking"),
    path(f"{PHASE}/ask", backstage.ask, name="ask"),
    path(f"{PHASE}/ranking", backstage.ranking, name="ranking"),
    re_path(
        r"^backstage/jury/phases/(?P<phase_id>[0-9]+)/(?P<what>ranking|reviews)\.(?P<ending>csv|json)$",
        backstage.export, name="export",
    ),
    path("backstage/jury/jurors/<int:juror_id>", backstage.juror, name="juror"),
    path("backstage/jury/conflicts", backstage.conflict, name="conflict"),
]  # fmt: skip
