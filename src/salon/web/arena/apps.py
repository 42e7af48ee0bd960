from django.apps import AppConfig


class ArenaConfig(AppConfig):
    name = "salon.web.arena"
    label = "arena"

    def ready(self) -> None:
        # models can be imported only now that all apps are there
        from salon.web.arena.domain import voting
        from salon.web.station.signals import looked_at

        looked_at.connect(voting.seen, dispatch_uid="arena")
