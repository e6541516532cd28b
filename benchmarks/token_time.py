"""What guidance costs where each token is a sample: ratios within one interleaved run, as in step_time.py.

    python benchmarks/token_time.py                          # a Transformer of parity, its recurrent guide
    python benchmarks/token_time.py --batch 256 --tokens 64  # 16,384 tokens: a Gram matrix would take 1 GiB

Variants, each with a target of its own, run in turn; a round's ratios come from that round alone:
    plain       the task's step: forward, cross-entropy, backward, Adam
    bound       plain, and one forward of the guide
    guided      plain with guidelib's loss(), which takes CKA from the features
    gram        the same by Gram matrices over the tokens; only up to 4,096 of them
"""

import argparse
import json
import statistics
from pathlib import Path

import torch
import torch.nn.functional as F
from step_time import adam, bound, environment, plain, timed

import guidelib as gl

GOALS = {"guided / bound": 1.3}
RATIOS = (("guided", "bound"), ("gram", "guided"), ("guided", "plain"), ("bound", "plain"))
LAYERS = {"blocks.*.out": "*"}  # what attention gives out, by the guide's only layer


def main():
    options = arguments()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 3, (options.batch, options.tokens), generator=generator)  # (n, t)
    y = torch.randint(0, 2, (options.batch,), generator=generator)  # (n,)
    makes = dict(VARIANTS)
    if x.numel() > 4096:
        del makes["gram"]
    steps = {name: make(target(options.width), guide(options.width), x, y)
             for name, make in makes.items()}
    for step in steps.values():
        step()
    rounds = [{name: timed(step, x.device) for name, step in steps.items()} for _ in range(options.rounds)]
    rows = []
    for above, below in RATIOS:
        if above in steps:
            values = [r[above] / r[below] for r in rounds]
            rows.append({"ratio": f"{above} / {below}", "median": statistics.median(values),
                         "low": min(values), "high": max(values)})
    for row in rows:
        goal = GOALS.get(row["ratio"])
        asked = f"   target {goal:.2f}, {'met' if row['median'] <= goal else 'missed'}" if goal else ""
        print(f"{row['ratio']:16}{row['median']:8.2f} ({row['low']:.2f} to {row['high']:.2f}){asked}")
    if options.out:
        result = {"setting": vars(options), "environment": environment(x.device), "seconds": rounds,
                  "ratios": rows}
        Path(options.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64, help="sequences (default 64)")
    parser.add_argument("--tokens", type=int, default=20, help="tokens of each (default 20)")
    parser.add_argument("--width", type=int, default=64, help="width of both networks (default 64)")
    parser.add_argument("--rounds", type=int, default=101, help="how often each variant is timed")
    parser.add_argument("--out", help="also write the result to this JSON file")
    return parser.parse_args()


def target(width):
    return gl.networks.Transformer(vocab=3, outputs=2, width=width, depth=1, heads=4, causal=False,
                                   pool="mean", pad=2, seed=0)


def guide(width):
    return gl.networks.RNN(vocab=3, outputs=2, width=width, depth=1, pool="last", pad=2, seed=1)


def guided(target, net, x, y):
    optimizer = adam(target)
    g = gl.guide(target, net, layers=LAYERS, samples="tokens")

    def step():
        optimizer.zero_grad()
        (F.cross_entropy(target(x), y) + g.loss()).backward()
        optimizer.step()
    return step


def gram(target, net, x, y):
    optimizer = adam(target)
    net = net.eval()
    kept = {}
    dict(target.named_modules())["blocks.0.out"].register_forward_hook(
        lambda module, inputs, out: kept.update(own=out))
    dict(net.named_modules())["layers.0"].register_forward_hook(
        lambda module, inputs, out: kept.update(guide=out[0]))  # all states, and the last

    def step():
        optimizer.zero_grad()
        with torch.no_grad():
            net(x)
        task = F.cross_entropy(target(x), y)
        (task + 1 - by_gram(*(kept[name].flatten(0, 1) for name in ("own", "guide")))).backward()
        optimizer.step()
    return step


def by_gram(x, y):
    """CKA of two sets of tokens' features (n t, p) by their Gram matrices, centred by their means."""
    one, other = (features - features.mean(0) for features in (x, y))
    one, other = one @ one.T, other @ other.T  # (n t, n t)
    return (one * other).sum() / (one.norm() * other.norm())


VARIANTS = {"plain": plain, "bound": bound, "guided": guided, "gram": gram}

if __name__ == "__main__":
    main()
