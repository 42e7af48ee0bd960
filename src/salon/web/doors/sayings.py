"""What the door's page says by itself, without asking the house."""

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Name -> sentence, for `door.js`; names in braces are filled in there."""
    return {
        "open": _("On the line"),
        "lost": _("No line"),
        "of": _("of {booked} with a place"),
        "left": _("{left} left for the door"),
        "kept_many": _("Kept on this device, to be sent: {count}"),
        "nobody": _("Nobody known"),
        "kept": _("Not checked"),
        "kept_message": _("There is no line to the house, so nobody can say whether this ticket is good."),
        "kept_hint": _(
            "It is kept and sent later. Nobody counts places now: let in whom you believe, and write it down."
        ),
        "twice": _("Seen before"),
        "twice_message": _("This device has seen this ticket already, at {time}. There is no line to the house."),
        "stop": _("Stop"),
        "full": _("This device cannot keep any more scans."),
        "full_hint": _("Write the code and the name on the printed list."),
        "no_ticket": _("No ticket"),
        "no_ticket_message": _("This code is not a ticket of a salon."),
        "no_ticket_hint": _("Ask for the ticket itself, or look for the name."),
        "slip": _("Look again"),
        "slip_message": _("This is not how a code is written: ten letters and digits, one of them may be wrong."),
        "blurred": _("Nothing found"),
        "blurred_message": _("There is no code to be read in this picture."),
        "blurred_hint": _("Go closer, without shadow or glare, or type the code."),
        "denied": _(
            "This browser was told not to use the camera. Allow it in the settings of this page, take a photo of "
            "the code, or type it."
        ),
        "no_camera": _("There is no camera that this page can use. Take a photo of the code, or type it."),
        "insecure": _(
            "Browsers let a page use the camera only over HTTPS (https:// in the address). Open the house with "
            "salon run --lan --https, or take a photo of the code, or type it."
        ),
        "let_in": _("Let in: {name}, {pool}"),
        "more": _("There are more: type more of the name."),
        "none": _("Nobody of that name has a place here."),
        "no_search": _("Names cannot be looked up now. Use the printed list."),
        "no_walk_in": _("There is no line to the house: no place can be given now."),
        "no_undo": _("There is no line to the house: undo it later, backstage."),
        "revoked": _("This device is no longer known here."),
        "revoked_hint": _("Get a new link for it backstage."),
    }
