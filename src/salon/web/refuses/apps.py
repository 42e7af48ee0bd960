from django.apps import AppConfig


class RefusesConfig(AppConfig):
    name = "salon.web.refuses"
    label = "refuses"
