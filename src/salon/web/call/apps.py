"""The call for artists: form, applications, states."""

from django.apps import AppConfig

#: seconds between looks for pictures that the image filter has not seen
OFTEN = 10.0
#: seconds between two looks at drafts whose time has come
SELDOM = 1800.0


class Call(AppConfig):
    name = "salon.web.call"

    def ready(self) -> None:
        from salon.web import leftovers
        from salon.web.call.domain import drafts, files, forms, letters, private, showcase
        from salon.web.events import demo, texts
        from salon.web.gallery.domain import filtering
        from salon.web.mail import worker
        from salon.web.people.personal import register

        letters.register()
        register("call", private.collect, private.erase, private.panel, private.subjects)
        demo.register(showcase.make, showcase.clear)
        texts.register(forms.with_texts)
        leftovers.register("applications", files.SHELF)
        worker.every(OFTEN, "pictures sent in", filtering.look_at_new)
        worker.every(SELDOM, "drafts", drafts.expire)
