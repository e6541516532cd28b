"""Which layer of the guide steers which of the target, and what that costs."""

from ..figures import PALETTE
from ..guidance import guide as guide_
from ..guidance.pairing import MATCHES
from ._explorer import Explorer


def pairing(target, guide, sample):
    """The layer pairs of a target and a guide as lines, by the rule of pairing and the guide's first layers.

    sample: a batch that both take.
    """
    plans = {}
    for match in MATCHES:
        with guide_(target, guide, match=match) as handle:
            plan = handle.plan(sample)
        plans[match] = plan[plan["reason"] == ""]
    targets = in_order(plans["depth"], "target")
    guides = in_order(plans["depth"], "guide")
    total = plans["depth"]["gflop"].sum()

    def draw(panels):
        from matplotlib.collections import LineCollection

        (ax,) = panels
        for side, names, y in (("target", targets, 1), ("guide", guides, 0)):
            x = [spread(i, names) for i in range(len(names))]
            ax.plot(x, [y] * len(x), "o", color="#888888", markersize=4)
            ax.text(-0.02, y, f"{side} ", ha="right", va="center")
        lines = ax.add_collection(LineCollection([], colors=PALETTE["guided"], linewidths=1))
        ax.set(xlim=(-0.12, 1.02), ylim=(-0.25, 1.25), xticks=[], yticks=[],
               title="layers that have a part, input to output from left to right")
        ax.spines[:].set_visible(False)

        def move(match, first):
            plan = plans[match]
            plan = plan[plan["guide"].isin(guides[:first])]
            lines.set_segments([[(spread(targets.index(t), targets), 1), (spread(guides.index(g), guides), 0)]
                                for t, g in zip(plan["target"], plan["guide"], strict=True)])
            cost = plan["gflop"].sum()
            used = counted(first, "layer")
            return (f"Rule {match!r}, the guide's first {used}: {counted(len(plan), 'pair')} on "
                    f"{counted(plan['target'].nunique(), 'layer')} of the target; {cost:.3g} GFLOP a step "
                    f"for Gram matrices, {cost / total:.0%} of what all pairs take.")

        return [lines], move

    counts = list(range(1, len(guides) + 1))
    return Explorer(
        draw, controls={"match": ("rule", list(MATCHES)), "first": ("first layers of the guide", counts)},
        begin={"first": len(guides)},
        frames=[{}, {"first": max(len(guides) // 4, 1)}], size=(6.5, 2.0),
        alt="The guide's layers joined by lines to the target's layers that they steer.")


def in_order(plan, side):
    """The layers of one side that have a part, in the order in which they run."""
    return list(dict.fromkeys(plan[side]))


def counted(number, word):
    """A number and what it counts.

    >>> counted(1, "layer"), counted(8, "layer")
    ('1 layer', '8 layers')
    """
    return f"{number} {word}{'s' * (number != 1)}"


def spread(i, names):
    return i / max(len(names) - 1, 1)
