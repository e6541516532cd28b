"""Features that have a share in common, or nothing: what biased and debiased CKA make of them."""

from itertools import product

import torch

from ..figures import DASHED, PALETTE
from ..similarity import cka
from ._explorer import Explorer

EXAMPLES = [16, 32, 64, 128, 256]
FEATURES = [4, 16, 64, 256]
COMMON = [0.0, 0.25, 0.5, 0.75, 1.0]
DRAWS = 4


def null_law(*, seed=0):
    """CKA against the number of examples, of Gaussian features of which two sides have a share in common.

    To choose: features a side, the share, which is also the CKA of infinitely many examples, and for how many
    examples to read the values. seed: of the features.

    >>> unrelated = {"common": 0.0, "features": 256, "examples": 16}
    >>> "biased CKA 0.9" in null_law().frame(unrelated)[1]
    True
    """
    found = measured(torch.Generator().manual_seed(seed))

    def draw(panels):
        (ax,) = panels
        ax.plot([], [], **DASHED, label="what they have in common")
        (truth,) = ax.plot([EXAMPLES[0], EXAMPLES[-1]], [0, 0], **DASHED)
        (law,) = ax.plot(EXAMPLES, [0] * len(EXAMPLES), ":", color=PALETTE["base"], label="p / (n + p)")
        (biased,) = ax.plot(EXAMPLES, [0] * len(EXAMPLES), "o-", color=PALETTE["guided"], label="biased")
        (debiased,) = ax.plot(EXAMPLES, [0] * len(EXAMPLES), "s-", color=PALETTE["control"], label="debiased")
        (at,) = ax.plot([0, 0], [-0.2, 1.1], color="#888888", linewidth=1)
        ax.set_xscale("log", base=2)
        ax.set(xlabel="examples, n", ylabel="CKA", ylim=(-0.15, 1.05), xticks=EXAMPLES, xticklabels=EXAMPLES,
               xlim=(EXAMPLES[0] / 1.2, 12 * EXAMPLES[-1]))
        ax.legend(loc="center right", fontsize="small")

        def move(features, common, examples):
            for line, debias in ((biased, False), (debiased, True)):
                line.set_ydata([found[features, common, n, debias] for n in EXAMPLES])
            law.set_ydata([features / (n + features) for n in EXAMPLES])
            truth.set_ydata([common, common])
            at.set_xdata([examples, examples])
            value, corrected = (found[features, common, examples, debias] for debias in (False, True))
            return (f"{features} features a side, {100 * common:.0f} % in common, {examples} examples: "
                    f"biased CKA {value:.2f}, debiased {corrected:.2f}; unrelated features would have about "
                    f"{features / (examples + features):.2f}.")

        return [truth, law, biased, debiased, at], move

    return Explorer(
        draw, controls={"features": ("features a side, p", FEATURES), "common": ("in common", COMMON),
                        "examples": ("examples, n", EXAMPLES)},
        begin={"features": 64, "examples": 32},
        frames=[{"features": 16}, {"features": 256}, {"features": 256, "common": 0.5}],
        alt="Biased and debiased CKA against the number of examples, for features with a share in common.")


def measured(generator):
    """{(features, common, examples, debiased): CKA}, the mean of a few draws."""
    found = {}
    for p, n in product(FEATURES, EXAMPLES):
        x, other = torch.randn(2, DRAWS, n, p, generator=generator)
        for common, debiased in product(COMMON, (False, True)):
            y = common ** 0.5 * x + (1 - common) ** 0.5 * other  # (draws, n, p)
            values = [cka(a, b, debiased=debiased) for a, b in zip(x, y, strict=True)]
            found[p, common, n, debiased] = float(torch.stack(values).mean())
    return found
