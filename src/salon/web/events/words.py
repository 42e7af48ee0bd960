"""Texts that the house suggests, in plain words, to be adapted."""

from django.utils.translation import gettext as _

from salon.web.events.models import Event


def privacy(event: Event) -> str:
    """What the house keeps of people, true of it as it is."""
    paragraphs = (
        _(
            "%(event)s runs on a computer of ours, at the venue. Nothing of what you do here is sent to anybody else, "
            "and nobody measures you."
        ),
        _(
            "To draw you need no name. A cookie remembers which pictures are yours; “Forget me” under “Yours” erases "
            "them."
        ),
        _(
            "If you apply, or take a place, we keep the name you give and, if you give one, your e-mail address. We "
            "use them to run the event: to tell you what was decided, to keep your place, to let you in. Whoever "
            "judges applications sees what you sent in."
        ),
        _(
            "Your private link shows all that we keep of you. There you can take it along or have it erased. We erase "
            "it ourselves a while after the event."
        ),
        _(
            "We who answer for this: %(contact)s. You may ask us what we know of you, have it corrected or erased, and "
            "complain to the data protection authority."
        ),
    )
    words = {"event": event.name, "contact": event.contact or _("[a name, an e-mail address]")}
    return "\n\n".join(text % words for text in paragraphs)
