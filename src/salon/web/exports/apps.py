from django.apps import AppConfig


class Exports(AppConfig):
    name = "salon.web.exports"

    def ready(self) -> None:
        from salon.web.exports.openapi import PATHS, SCHEMES  # models are not there before
        from salon.web.station import openapi

        openapi.extend(PATHS, SCHEMES)
