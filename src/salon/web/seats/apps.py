"""Every limited thing: places at the meet & greet, workshop seats, laptops, station slots."""
from django.apps import AppConfig

#: seconds between two looks at what time has ended
OFTEN = 15.0


class Seats(AppConfig):
    name = "salon.web.seats"

    def ready(self) -> None:
        from salon.web.mail import worker
        from salon.web.people.personal import register
        from salon.web.seats import personal
        from salon.web.seats.domain import circles, letters, places
        from salon.web.seats.models import Invitation

        letters.register()
        circles.register(Invitation.Reason.FINISHER, circles.finishers)
        register("seats", personal.collect, personal.erase, personal.panel)
        worker.every(OFTEN, "places", places.sweep_all)
