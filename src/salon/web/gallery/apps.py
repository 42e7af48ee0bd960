from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "salon.web.gallery"
    label = "gallery"

    def ready(self) -> None:
        from salon.web import leftovers
        from salon.web.gallery import personal
        from salon.web.gallery.domain import giving
        from salon.web.people.personal import register

        register("gallery", personal.collect, personal.erase, subjects=personal.subjects)
        leftovers.register("given", giving.SHELF)
