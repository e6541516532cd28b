"""What guidance costs in memory: the peak of one training step, in bytes allocated by torch, on a CPU.

    python benchmarks/memory.py        # ResNet-18 <- ResNet-18, 32 channels, batch 128

Variants, each with a target of its own; what counts is allocated in a step beyond what was there before:
    plain           the task's step: forward, cross-entropy, backward, Adam
    guide first     plain, after one forward of the guide
    plain + guide   plain, with that forward where guidance has it: between the target's forward and backward
    guided          plain with guidelib's loss()
The first step of guided keeps a copy of every layer, since nobody knows yet which are changed in place.
"""

import argparse

import torch
import torch.nn.functional as F
from torch._C._profiler import _EventType
from torch.profiler import ProfilerActivity, profile

import guidelib as gl

GOAL = 1.10  # guided / (plain + guide)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=32, help="channels after the stem (default 32)")
    parser.add_argument("--batch", type=int, default=128, help="examples n (default 128)")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(options.batch, 3, 32, 32, generator=generator)
    y = torch.randint(0, 10, (options.batch,), generator=generator)
    found = {}
    print(f"{'variant':16}{'first step':>12}{'later':>8}  MB")
    for variant in ("plain", "guide first", "plain + guide", "guided"):
        step = make(variant, options.width, x, y)
        found[variant] = [peak(step) / 1e6 for _ in range(3)]
        print(f"{variant:16}{found[variant][0]:12.0f}{found[variant][-1]:8.0f}")
    for below in ("plain + guide", "guide first"):
        ratio = found["guided"][-1] / found[below][-1]
        goal = f"target {GOAL:.2f} {'met' if ratio <= GOAL else 'missed'}" if below != "guide first" else ""
        print(f"guided / ({below})  {ratio:.2f}  {goal}")


def make(variant, width, x, y):
    target, net = (gl.networks.ResNet(width=width, seed=seed) for seed in (0, 1))
    optimizer = torch.optim.Adam(target.parameters(), fused=True)
    g = gl.guide(target, net.eval()) if variant == "guided" else None

    def guide():
        with torch.no_grad():
            net(x)

    def step():
        optimizer.zero_grad()
        if variant == "guide first":
            guide()
        loss = F.cross_entropy(target(x), y)
        if variant == "plain + guide":
            guide()
        if g is not None:
            loss = loss + g.loss()
        loss.backward()
        optimizer.step()
    return step


def peak(step):
    """The most bytes that a step has allocated at once, by torch's own account."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    events = []

    def walk(nodes):
        for node in nodes:
            if node.tag == _EventType.Allocation:
                events.append((node.start_time_ns, node.extra_fields.alloc_size))  # freed: below 0
            walk(node.children)

    walk(profiled.profiler.kineto_results.experimental_event_tree())
    now = most = 0
    for _, size in sorted(events):
        now += size
        most = max(most, now)
    return most


if __name__ == "__main__":
    main()
