"""Optimisers by name: AdamW, Muon beside AdamW, AdamW without a schedule."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from salon.core.errors import TrainingError

NAMES = ("adamw", "muon", "schedule-free")
#: matrices that Muon leaves to AdamW: what meets the numbers from outside, and the teachers
OUTER = ("stem", "position", "time", "text.", "pooled", "final", "head", "label_head")


class Optimisers:
    """One or two optimisers that step together, at one rate."""

    def __init__(self, members: list[torch.optim.Optimizer], schedule_free: bool = False) -> None:
        self.members, self.schedule_free = members, schedule_free
        for member in members if schedule_free else ():
            member.train()

    def step(self, rate: float) -> None:
        """One step at `rate`."""
        for member in self.members:
            for group in member.param_groups:
                group["lr"] = rate
            member.step()

    def averaged(self, parameters: list[nn.Parameter]) -> list[Tensor] | None:
        """Where a schedule-free optimiser would stop now (its x, arXiv 2405.15682); None for the others."""
        if not self.schedule_free:
            return None
        (member,) = self.members
        beta = member.param_groups[0]["betas"][0]
        return [
            parameter.lerp(member.state[parameter]["z"], 1 - 1 / beta) if parameter in member.state else parameter
            for parameter in parameters
        ]

    def state_dict(self) -> list[dict[str, Any]]:
        return [member.state_dict() for member in self.members]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Raises ValueError if the states are of other optimisers."""
        for member, state in zip(self.members, states, strict=True):
            member.load_state_dict(state)


def is_inner(name: str, parameter: nn.Parameter) -> bool:
    """Whether Muon takes this parameter: a matrix between hidden layers."""
    return parameter.ndim == 2 and not name.endswith("table") and not name.startswith(OUTER)


def optimisers_for(net: nn.Module, options: Mapping[str, Any]) -> Optimisers:
    """The optimiser that the recipe names, over everything that learns; weight decay on matrices only. Muon (Jordan et
    al. 2024) with steps as large as AdamW's (arXiv 2502.16982), so that one rate suits both. Raises TrainingError."""
    name, rate, decay, betas = (options[key] for key in ("optimiser", "lr", "weight_decay", "betas"))
    learning = [(n, p) for n, p in net.named_parameters() if p.requires_grad]

    def groups(parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
        return [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]

    if name == "adamw":
        return Optimisers([torch.optim.AdamW(groups([p for _, p in learning]), lr=rate, betas=betas, fused=True)])
    if name == "muon":
        inner = [p for n, p in learning if is_inner(n, p)]
        outer = [p for n, p in learning if not is_inner(n, p)]
        muon = torch.optim.Muon(inner, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        return Optimisers([muon, torch.optim.AdamW(groups(outer), lr=rate, betas=betas, fused=True)])
    if name == "schedule-free":
        from schedulefree import AdamWScheduleFree  # inline: few runs need it

        return Optimisers([AdamWScheduleFree(groups([p for _, p in learning]), lr=rate, betas=betas)], True)
    raise TrainingError(f"There is no optimiser {name!r}.", f"Choose one of {', '.join(NAMES)}.")
