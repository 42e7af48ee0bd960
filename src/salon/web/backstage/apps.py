"""Backstage knows every room of the house."""

from django.apps import AppConfig


class BackstageConfig(AppConfig):
    name = "salon.web.backstage"
    label = "backstage"

    def ready(self) -> None:
        from salon.web.backstage import joins  # lazy: models are there only now

        joins.register()
