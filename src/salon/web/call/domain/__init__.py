"""Rules of the call; views only translate. What other rooms need of it: the transitions, and decisions that are applied
together."""

from salon.web.call.domain.deciding import apply_pending, set_pending
from salon.web.call.domain.states import DEEDS, PENDING

__all__ = ["DEEDS", "PENDING", "apply_pending", "set_pending"]
