"""The one tree of errors that a person may see.

Every error carries what happened (`str(error)`) and what to do next (`error.hint`), both fit to print on a
page or a command line. Raise these for what a person or the world outside did; assert only what cannot be.
"""


class SalonError(Exception):
    """Base of all errors raised to people: a sentence, and a hint of what to do next."""

    #: stable word for APIs and templates
    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadRecipe(SalonError):
    """A recipe or request that cannot be drawn as written: value out of range, wrong type, empty prompt."""

    code = "bad_recipe"


class UnknownModel(SalonError):
    """No model of that name is installed."""

    code = "unknown_model"


class WeightsMissing(SalonError):
    """A model's weights file is not there."""

    code = "weights_missing"


class WeightsDamaged(SalonError):
    """A model's weights file is there but is not what its card says (checksum, format)."""

    code = "weights_damaged"


class Refused(SalonError):
    """The house will not draw this; the message says why."""

    code = "refused"


class GuardUnavailable(SalonError):
    """The image filter cannot look at pictures, so none is shown."""

    code = "guard_unavailable"


class Busy(SalonError):
    """Too much is waiting already; try again later."""

    code = "busy"


class Conflict(SalonError):
    """What was asked for does not fit the present state: somebody else was quicker."""

    code = "conflict"


class Forbidden(SalonError):
    """Whoever asks is not (or no longer) allowed to: a used link, a revoked device, no account."""

    code = "forbidden"


class EngineUnavailable(SalonError):
    """The engine cannot be reached or has died; requests that were accepted are kept."""

    code = "engine_unavailable"


class StorageFull(SalonError):
    """No room to write the result; nothing that was accepted is lost."""

    code = "storage_full"


class NotPrivate(SalonError):
    """Files of the house cannot be kept from other people of this machine."""

    code = "not_private"


class WorldError(SalonError):
    """The sandbox world was asked for something that it does not hold, or its files are damaged."""

    code = "world"


class TrainingError(SalonError):
    """Training cannot go on as asked: recipe, data or state do not fit together."""

    code = "training"
