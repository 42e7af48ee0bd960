"""How fast the transformer trains on one thread: python bench/training.py [--json] [--batch N].

Steps of the real network (forward, backward, optimiser) on noise, in pictures a second: in float32, with the matrix
products in bfloat16, and, as the peer in the same run, with torch's fused attention in place of ours. `bfloat16_gain`
and `attention_gain` are ratios. On a processor without bfloat16 instructions the first is below 1.
"""

import argparse
import json
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
import torch.nn.functional as F

from salon.nets import transformer


def fused(query, key, value, bias=None):
    """torch's own attention, in the form of ours."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias), None


def pace(batch: int, precision: str, times: int) -> float:
    """Pictures a second, of the best of so many steps."""
    torch.manual_seed(0)
    net = transformer.Transformer(labels=512)
    optimiser = torch.optim.AdamW(net.parameters(), fused=True)
    sample, timestep = torch.randn(batch, 8, 16, 16), torch.rand(batch)
    embeds, mask = torch.randn(batch, 14, 384), torch.ones(batch, 14)
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            prediction, logits = net(sample, timestep, embeds, mask, teach=True)
            loss = (prediction.float() - sample).square().mean() + logits.float().square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        best = min(best, time.perf_counter() - start)
    return batch / best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--times", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = {name: round(pace(options.batch, name, options.times), 1) for name in ("float32", "bfloat16")}
    ours, transformer.attend = transformer.attend, fused
    peer = {f"{n}_fused_attention": round(pace(options.batch, n, options.times), 1) for n in tuple(figures)}
    transformer.attend = ours
    figures |= peer
    figures["bfloat16_gain"] = round(figures["bfloat16"] / figures["float32"], 2)
    figures["attention_gain"] = round(figures["bfloat16"] / figures["bfloat16_fused_attention"], 2)
    print(json.dumps(figures) if options.json else "\n".join(f"{k:<28}{v}" for k, v in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
