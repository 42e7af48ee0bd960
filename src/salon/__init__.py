"""Latent Salon: a self-hosted platform for a generative-art day. `from salon import Salon` draws."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salon.engine.drawing import Salon

__all__ = ["Salon"]


def __getattr__(name: str) -> Any:
    # lazy: `import salon.core` must not load networks and runtime
    if name == "Salon":
        from salon.engine.drawing import Salon

        return Salon
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
