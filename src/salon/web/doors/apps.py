from django.apps import AppConfig


class Doors(AppConfig):
    name = "salon.web.doors"

    def ready(self) -> None:
        from salon.web.doors import personal  # models are not there before
        from salon.web.doors.domain import showcase
        from salon.web.events import demo
        from salon.web.people.personal import register

        register("doors", personal.collect, personal.erase)
        demo.register(showcase.make)
