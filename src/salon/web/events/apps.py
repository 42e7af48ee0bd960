from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "salon.web.events"
    label = "events"

    def ready(self) -> None:
        from salon.web import leftovers
        from salon.web.events import logos

        leftovers.register("logos", logos.SHELF)
