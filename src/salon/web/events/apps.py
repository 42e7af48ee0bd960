from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "salon.web.events"
    label = "events"
