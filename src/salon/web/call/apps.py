"""The call for artists: form, applications, states."""

from django.apps import AppConfig


class Call(AppConfig):
    name = "salon.web.call"

    def ready(self) -> None:
        from salon.web.call.domain import letters, private, showcase
        from salon.web.events import demo
        from salon.web.people.personal import register

        letters.register()
        register("call", private.collect, private.erase, private.panel, private.subjects)
        demo.register(showcase.make, showcase.clear)
