from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "salon.web.gallery"
    label = "gallery"
