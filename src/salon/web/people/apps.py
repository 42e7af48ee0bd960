from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "salon.web.people"
    label = "people"
