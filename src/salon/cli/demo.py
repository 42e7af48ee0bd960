"""`salon demo`: a believable exhibition for an empty house; `salon backstage`: a one-time link for curators."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from salon.cli.arguments import number
from salon.core.errors import SalonError
from salon.core.home import home
from salon.core.running import Where, heard

if TYPE_CHECKING:
    from salon.web.people.models import User


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon demo` and `salon backstage`."""
    text = "hang a demo exhibition, drawn by the embedded model, in a house where nothing hangs yet"
    add = commands.add_parser("demo", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--once", action="store_true", help="say nothing where something hangs already")
    add.set_defaults(command=demo)
    text = "print a link that lets its holder in backstage, once, within a day"
    add = commands.add_parser("backstage", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--url", help="address of the house (default: that of the one that is running)")
    add.add_argument("--port", type=number(1, 65535), help="port of a house on this machine (default: likewise)")
    add.add_argument("--password", metavar="NAME", help="set (or change) the password of this account instead")
    add.set_defaults(command=backstage)


def open_house() -> None:
    """Django and an up-to-date database, in the state folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")
    from salon.desk.house import prepare_database  # lazy: it brings Django

    prepare_database()


def demo(arguments: argparse.Namespace) -> None:
    """Draw and hang. Where something hangs already nothing is changed."""
    open_house()
    from salon.web.gallery.domain import demo as exhibition  # lazy: Django must be set up first

    if not exhibition.empty():
        if not arguments.once:
            raise SalonError("Something hangs here already.", "Use an empty house: SALON_HOME=/some/folder salon demo.")
        return
    from salon.desk import store
    from salon.desk.pictures import png_file
    from salon.engine.drawing import Salon

    salon = Salon()
    prompts = [piece.prompt for piece in exhibition.PIECES]
    recipes = [salon.recipes(prompt, [exhibition.SEED])[0] for prompt in prompts]
    pictures = salon.pictures(recipes)
    files = [(recipe.id, png_file(picture, recipe)) for recipe, picture in zip(recipes, pictures, strict=True)]
    request = exhibition.hang(recipes)
    store.keep(request.id, files, [], 0.0)
    print(f"A demo exhibition of {len(exhibition.HUNG)} works hangs; {len(exhibition.WAITING)} wait for a curator.")


def backstage(arguments: argparse.Namespace) -> None:
    """Print the link, or set a password."""
    open_house()
    from salon.web.people import links  # lazy: as above

    if arguments.password:
        _set_password(arguments.password)
        return
    where, path = _where(arguments), f"/backstage/enter/{links.new_link(links.keeper())}"
    print(f"Backstage, once, within a day: {where.own}{path}")
    if where.public not in ("", where.own):
        print(f"The same from another device: {where.public}{path}")


def _where(arguments: argparse.Namespace) -> Where:
    """As it was asked for; else the running house's address; else that of one opened without options."""
    if arguments.url or arguments.port:
        return Where((arguments.url or f"http://127.0.0.1:{arguments.port}").rstrip("/"), "")
    if found := heard(home()):
        return found
    print(f"No house is running from {home()}: open it with salon run, on this port.", file=sys.stderr)
    return Where("http://127.0.0.1:8000", "")


def _set_password(name: str) -> None:
    """Asked for twice; checked as in the browser."""
    from getpass import getpass  # lazy: as above

    from salon.web.people import passwords
    from salon.web.people.models import User

    first, second = getpass("Password: "), getpass("Again: ")
    user = User.objects.filter(username=name).first() or User(username=name)
    if wrong := passwords.complaints(user, first, second):
        raise SalonError(" ".join(wrong), "Choose another.")
    user.is_staff = True
    user.save()
    passwords.keep(user, first)
    _give_role(user)
    print(f"{name} may log in at /backstage/login.")


def _give_role(user: "User") -> None:
    """Whoever holds the machine makes organisers; a role that somebody has already is left as it is."""
    from salon.web.events.domain import current_event  # lazy: Django must be set up first
    from salon.web.people.models import Role
    from salon.web.people.sessions import roles_of

    if not roles_of(user):
        Role.objects.create(user=user, event=current_event(), kind=Role.Kind.ORGANISER)
