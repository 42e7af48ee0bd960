from django.apps import AppConfig


class Jury(AppConfig):
    name = "salon.web.jury"

    def ready(self) -> None:
        from salon.web.jury import personal  # models are not there before
        from salon.web.people.personal import register

        register("jury", personal.collect, personal.erase)
