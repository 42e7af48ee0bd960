from django.apps import AppConfig

#: seconds between two looks at the outbox, and at what is to be erased
OFTEN, SELDOM = 5.0, 1800.0


class Mail(AppConfig):
    name = "salon.web.mail"

    def ready(self) -> None:
        from salon.web import leftovers
        from salon.web.mail import letters, lost, personal, sending, worker
        from salon.web.people import codes
        from salon.web.people.personal import press_out_later, register
        from salon.web.people.retention import erase_due
        from salon.web.station.domain.intake import forget_sources

        letters.register(lost.KIND, lost.SUBJECT, lost.TEXT, by_itself=True, unproven=True)
        register("mail", personal.collect, personal.erase)
        worker.every(OFTEN, "lost links", lost.answer_all)
        worker.every(OFTEN, "codes to come in by", codes.answer_all)
        worker.every(OFTEN, "letters", sending.send_due)
        worker.every(OFTEN, "what was erased", press_out_later)
        worker.every(SELDOM, "retention", erase_due)
        worker.every(SELDOM, "files", leftovers.sweep)
        worker.every(SELDOM, "files of letters", sending.sweep)
        worker.every(SELDOM, "sources", forget_sources)
