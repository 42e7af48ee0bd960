from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "salon.web.gallery"
    label = "gallery"

    def ready(self) -> None:
        from salon.web.gallery import personal
        from salon.web.people.personal import register

        register("gallery", personal.collect, personal.erase, subjects=personal.subjects)
