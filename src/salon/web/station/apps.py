from django.apps import AppConfig


class StationConfig(AppConfig):
    name = "salon.web.station"
    label = "station"
