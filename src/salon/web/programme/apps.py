from typing import Any

from django.apps import AppConfig


class Programme(AppConfig):
    name = "salon.web.programme"

    def ready(self) -> None:
        from salon.web.events import demo
        from salon.web.people.personal import register
        from salon.web.programme.domain import personal, showcase, stars, telling
        from salon.web.station.signals import forgotten

        register("programme", personal.collect, personal.erase, personal.panel)
        telling.register()
        demo.register(showcase.make)

        def forget(sender: Any, visitor: str, **_more: Any) -> None:
            stars.forget(visitor)

        forgotten.connect(forget, weak=False, dispatch_uid="programme")
