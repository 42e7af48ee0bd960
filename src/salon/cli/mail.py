"""`salon mail`: how letters leave this house, a letter to try it, and sending without a worker."""

import argparse

from salon.cli.demo import open_house
from salon.core.errors import SalonError


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon mail`."""
    text = "say how letters leave this house and what waits; try it, or send what is released"
    add = commands.add_parser("mail", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--try", dest="address", metavar="ADDRESS", help="send a letter to this address, to see it come")
    add.add_argument("--send", action="store_true", help="send what is released now (`salon run` does it by itself)")
    add.set_defaults(command=mail)


def mail(arguments: argparse.Namespace) -> None:
    """Raises SalonError when the letter to try it did not go."""
    open_house()
    from django.conf import settings  # lazy: Django must be set up first

    from salon.web.mail import sending
    from salon.web.mail.models import Letter

    if settings.EMAIL_CONFIGURED:
        print(f"Letters go by {settings.EMAIL_HOST}:{settings.EMAIL_PORT}, from {settings.DEFAULT_FROM_EMAIL}.")
    else:
        print(f"There is no mail server (SALON_EMAIL); letters are written into {sending.folder()}.")
    if arguments.address:
        _try(arguments.address)
    if arguments.send:
        print(f"Letters that left: {sending.send_due()}")
    for state in Letter.State:
        if number := Letter.objects.filter(state=state).count():
            print(f"{number:6} {state.label}")


def _try(address: str) -> None:
    import smtplib  # lazy: only here

    from django.conf import settings
    from django.core.mail import EmailMessage

    from salon.web.mail.letters import whole

    if not whole(address):
        raise SalonError(f"{address} is no e-mail address.")
    if not settings.EMAIL_CONFIGURED:
        raise SalonError("There is no mail server to try.", "Set SALON_EMAIL=smtp://user:password@host:587.")
    try:
        EmailMessage("Latent Salon", "This house can write to you.", to=[address]).send()
    except (OSError, smtplib.SMTPException) as error:
        hint = "Look at SALON_EMAIL (smtp://user:password@host:587, or smtps://...) and SALON_EMAIL_FROM."
        raise SalonError(f"The letter did not go: {error}", hint) from error
    print(f"A letter to {address} has left.")
