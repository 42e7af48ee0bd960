from django.apps import AppConfig


class StationConfig(AppConfig):
    name = "salon.web.station"
    label = "station"

    def ready(self) -> None:
        from salon.web import leftovers
        from salon.web.station.domain import files

        leftovers.register(files.DRAWN, files.SHELF)
