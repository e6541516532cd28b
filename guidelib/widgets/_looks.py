"""Many claims, few of them true: what falls below a level by luck, and what two adjustments let through."""

from functools import partial

import numpy as np

from ..evidence.significance import false_discovery, holm
from ..figures import PALETTE
from ._explorer import Explorer

CLAIMS = [10, 20, 40, 80]
SHARES = [0.0, 0.1, 0.3, 0.5]
SHIFT = 3.0  # standard errors by which the estimate of a true claim lies from 0, on average
LEVEL = 0.05
DRAWS = list(range(1, 21))


def looks():
    """p-values of made-up claims in their order, beside a level, and the levels of two adjustments.

    To choose: how many claims there are, which share of them is true, and which of 20 draws is seen.
    """
    drawn = {(claims, share): [pvalues(claims, share, draw) for draw in DRAWS]
             for claims in CLAIMS for share in SHARES}

    def draw(panels):
        (ax,) = panels
        ax.axhline(LEVEL, color="black", linestyle="--", linewidth=1, label=f"{LEVEL}")
        (steps,) = ax.plot([], [], color=PALETTE["control"], label="Holm")
        (rates,) = ax.plot([], [], color=PALETTE["distilled"], label="Benjamini, Hochberg")
        (false,) = ax.plot([], [], "o", color=PALETTE["base"], label="not true")
        (true,) = ax.plot([], [], "D", color=PALETTE["guided"], label="true")
        ax.set(yscale="log", ylim=(1e-7, 2), xlim=(0, 1), title="p", xticks=[],
               xlabel="claims, from the lowest p to the highest")
        ax.legend(loc="lower right", fontsize="small", ncols=3)

        def move(claims, share, draw):
            p, is_true = drawn[claims, share][int(draw) - 1]
            n = len(p)
            x = (np.arange(n) + 0.5) / n
            false.set_data(x[~is_true], p[~is_true])
            true.set_data(x[is_true], p[is_true])
            steps.set_data(x, LEVEL / (n - np.arange(n)))
            rates.set_data(x, LEVEL * np.arange(1, n + 1) / n)
            said = [f"{claims:g} claims, {is_true.sum()} true."]
            for name, rule in RULES.items():
                found = rule(p) < LEVEL
                said.append(f"{name}: {found.sum()} found, {(found & ~is_true).sum()} of these not true.")
            plain, by_holm, _ = (np.mean([((rule(q) < LEVEL) & ~true).any()
                                          for q, true in drawn[claims, share]]) for rule in RULES.values())
            said.append(f"In {plain:.0%} of {len(DRAWS)} draws {LEVEL} finds at least one that is not true, "
                        f"in {by_holm:.0%} Holm does.")
            return " ".join(said)

        return [steps, rates, false, true], move

    return Explorer(
        draw, controls={"claims": ("claims", CLAIMS), "share": ("share that is true", SHARES),
                        "draw": ("draw", DRAWS)},
        begin={"claims": 20}, frames=[{}, {"draw": 2}, {"claims": 40, "share": 0.3}],
        alt="p-values of made-up claims from lowest to highest, beside 0.05 and two adjusted levels.")


def pvalues(claims, share, draw):
    """(two-sided p, ascending, whether each is of a true claim), (claims,) each."""
    from scipy.stats import norm

    random = np.random.default_rng(draw)
    is_true = np.arange(claims) < round(share * claims)
    z = random.standard_normal(claims) + SHIFT * is_true
    p = 2 * norm.sf(abs(z))
    order = np.argsort(p)
    return p[order], is_true[order]


def adjusted(rule, p):
    """p-values (claims,) as a rule of evidence.significance adjusts them."""
    return np.array(list(rule(dict(enumerate(p.tolist()))).values()))


RULES = {f"Below {LEVEL}": lambda p: p, "Holm": partial(adjusted, holm),
         "Benjamini and Hochberg": partial(adjusted, false_discovery)}
