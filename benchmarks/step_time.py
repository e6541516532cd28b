"""What guidance costs: the time of one training step, as ratios within one interleaved run.

    python benchmarks/step_time.py                                     # deep net <- ResNet-18, batch 256
    python benchmarks/step_time.py --setting digits-64                 # small nets, where Python counts
    python benchmarks/step_time.py --depth 4 --width 64 --rounds 3     # any other

Variants, each with a target of its own, run in turn; a round's ratios come from that round alone;
the median is shown:
    plain       the task's step: forward, cross-entropy, backward, Adam
    bound       plain, and one forward of the guide: what guidance cannot go below without a cache
    guided      plain with guidelib's loss()
    published   the procedure as the paper describes it: a second forward of the target for its features,
                three Gram matrices a side, centred by products with H = I - 11^T/n
The floor beside a ratio is the same ratio in floating-point operations, counted by torch; the target is what
the ratio should at most be, or at least, for published / guided.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

import guidelib as gl
from guidelib.guidance.activations import selected
from guidelib.guidance.pairing import by_depth, last_wins


def main():
    options, goals = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    generator = torch.Generator().manual_seed(0)
    shape = options.channels, options.size, options.size
    x = torch.randn(options.batch, *shape, generator=generator).to(device)  # (n, c, h, w)
    y = torch.randint(0, 10, (options.batch,), generator=generator).to(device)  # (n,)
    net = gl.networks.ResNet(channels=options.channels, width=options.guide_width, seed=1).to(device)
    steps = {name: make(target(options, device), net, x, y) for name, make in VARIANTS.items()}

    flops = {name: counted(step) for name, step in steps.items()}  # also the warm-up of every variant
    rounds = []
    for _ in range(options.rounds):
        rounds.append({name: timed(step, device) for name, step in steps.items()})
    result = {"setting": vars(options), "environment": environment(device), "seconds": rounds, "flop": flops,
              "ratios": ratios(rounds, flops)}
    print(table(result, goals))
    if options.out:
        Path(options.out).write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")


NUMBERS = (
    ("depth", 48, "hidden layers of the target"),
    ("width", 1024, "their width"),
    ("guide-width", 64, "channels of the ResNet-18 after its stem"),
    ("batch", 256, "examples n"),
    ("channels", 3, "channels of the images"),
    ("size", 32, "their height and width"),
    ("rounds", 15, "how often each variant is timed"),
    ("threads", 0, "torch threads, 0: as torch chooses"),
)
DIGITS = {"depth": 50, "guide_width": 8, "batch": 64, "channels": 1, "size": 8, "threads": 1, "rounds": 101}
SETTINGS = {  # {name: (numbers, {ratio: target})}
    "deep": ({}, {"guided / bound": 1.20, "published / guided": 1.75}),
    "digits-64": (DIGITS | {"width": 64}, {"guided / bound": 1.6}),
    "digits-192": (DIGITS | {"width": 192}, {"guided / bound": 1.3}),
}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value, text in NUMBERS:
        parser.add_argument(f"--{name}", type=int, help=f"{text} (default {value})")
    parser.add_argument("--setting", choices=SETTINGS, default="deep",
                        help="numbers that go together, and targets (default deep)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", help="also write the result to this JSON file")
    options = parser.parse_args()
    numbers, goals = SETTINGS[options.setting]
    own = False
    for name, value, _ in NUMBERS:
        name = name.replace("-", "_")
        own = own or getattr(options, name) is not None and name not in ("rounds", "threads")
        if getattr(options, name) is None:
            setattr(options, name, numbers.get(name, value))
    return options, {} if own else goals


def target(options, device):
    inputs = options.channels * options.size**2
    net = gl.networks.FCN(inputs=inputs, outputs=10, depth=options.depth, width=options.width, seed=0)
    return net.to(device)


def adam(target):
    """As the library's own training has it, lest a slow optimiser hide what guidance costs."""
    return torch.optim.Adam(target.parameters(), fused=True)


def plain(target, net, x, y):
    optimizer = adam(target)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(target(x), y).backward()
        optimizer.step()
    return step


def bound(target, net, x, y):
    task = plain(target, net, x, y)
    net = net.eval()

    def step():
        with torch.no_grad():
            net(x)
        task()
    return step


def guided(target, net, x, y):
    optimizer = adam(target)
    g = gl.guide(target, net)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(target(x), y) + g.loss()
        loss.backward()
        optimizer.step()
    return step


def published(target, net, x, y):
    optimizer = adam(target)
    net = net.eval()
    layers = list(selected(target))[:-1]
    guide_layers = list(selected(net))[:-1]
    pairs = last_wins(by_depth(len(guide_layers), len(layers)))

    def features(model, names):
        kept = {}
        modules = dict(model.named_modules())
        handles = []
        for name in names:
            keep = lambda module, inputs, out, name=name: kept.update({name: out})
            handles.append(modules[name].register_forward_hook(keep))
        model(x)
        for handle in handles:
            handle.remove()
        return [kept[name].flatten(1) for name in names]

    def step():
        optimizer.zero_grad()
        task = F.cross_entropy(target(x), y)
        own = features(target, layers)
        with torch.no_grad():
            others = features(net, guide_layers)
        alignment = sum(1 - published_cka(own[t], others[g]) for t, g in pairs)
        (task + alignment).backward()
        optimizer.step()
    return step


def published_cka(x, y):
    def hsic(a, b):
        n = a.shape[0]
        h = torch.eye(n, device=a.device) - 1 / n
        return torch.trace(h @ (a @ a.T) @ h @ (h @ (b @ b.T) @ h))

    return hsic(x, y) / torch.sqrt(hsic(x, x) * hsic(y, y))


VARIANTS = {"plain": plain, "bound": bound, "guided": guided, "published": published}
RATIOS = (("guided", "bound"), ("published", "guided"), ("guided", "plain"), ("bound", "plain"))


def timed(step, device):
    synchronise(device)
    start = time.perf_counter()
    step()
    synchronise(device)
    return time.perf_counter() - start


def synchronise(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def counted(step):
    step()
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def ratios(rounds, flops):
    rows = []
    for above, below in RATIOS:
        values = [r[above] / r[below] for r in rounds]
        rows.append({"ratio": f"{above} / {below}", "median": statistics.median(values),
                     "low": min(values), "high": max(values), "floor": flops[above] / flops[below]})
    return rows


def environment(device):
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {"device": name, "threads": torch.get_num_threads(), "torch": torch.__version__,
            "python": platform.python_version()}


def table(result, goals):
    seconds = {name: statistics.median(r[name] for r in result["seconds"]) for name in VARIANTS}
    lines = [f"{'variant':12}{'s a step':>10}{'GFLOP':>10}"]
    for name in VARIANTS:
        lines.append(f"{name:12}{seconds[name]:10.3f}{result['flop'][name] / 1e9:10.1f}")
    lines += ["", f"{'ratio':22}{'median':>8}{'lowest':>8}{'highest':>9}{'floor':>8}{'target':>8}"]
    for row in result["ratios"]:
        numbers = f"{row['median']:8.2f}{row['low']:8.2f}{row['high']:9.2f}{row['floor']:8.2f}"
        if goal := goals.get(row["ratio"]):
            met = row["median"] >= goal if row["ratio"] == "published / guided" else row["median"] <= goal
            numbers += f"{goal:8.2f} {'met' if met else 'missed'}"
        lines.append(f"{row['ratio']:22}{numbers}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
