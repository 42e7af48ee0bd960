"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685) of a network's matrices: W + lora_B @ lora_A."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class LowRank(nn.Module):
    """What is added to a weight [out, in]: lora_B [out, rank] @ lora_A [rank, in]; nothing at first."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.lora_A = nn.Parameter(torch.randn(rank, columns) * columns**-0.5)
        self.lora_B = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.lora_B @ self.lora_A


def add_adapter(net: nn.Module, rank: int, leave: tuple[str, ...] = ()) -> nn.Module:
    """Put an adapter on every linear layer of `net`, which itself learns no more; those whose names are in `leave` get
    none and go on learning. Returns `net`."""
    net.requires_grad_(False)
    for name, module in [(n, m) for n, m in net.named_modules() if isinstance(m, nn.Linear)]:
        if name in leave:
            module.requires_grad_(True)
        else:
            parametrize.register_parametrization(module, "weight", LowRank(module.weight, rank))
    return net


def adapter_of(net: nn.Module) -> dict[str, Tensor]:
    """The adapter's tensors: `blocks.0.qkv.lora_A.weight` and so on, as PEFT names them; none without an adapter."""
    found = {}
    for name, module in net.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            part = module.parametrizations.weight[0]
            found[f"{name}.lora_A.weight"], found[f"{name}.lora_B.weight"] = part.lora_A.detach(), part.lora_B.detach()
    return found


def merged(net: nn.Module) -> nn.Module:
    """`net` as a plain network of its own, the adapter worked into the weights. Made anew by its `config`: copies of an
    adapted layer share its class with it, and cannot be stripped alone."""
    plain = type(net)(**net.config)
    tensors = {name: tensor for name, tensor in net.state_dict().items() if ".parametrizations." not in name}
    adapted = [(n, m) for n, m in net.named_modules() if parametrize.is_parametrized(m, "weight")]
    plain.load_state_dict(tensors | {f"{name}.weight": module.weight.detach() for name, module in adapted})
    return plain.eval()
