"""Right and wrong answers of two made-up networks, side by side, and the consistency of their errors."""

import numpy as np

from ..analysis import error_consistency
from ..figures import PALETTE
from ._explorer import Explorer

ACCURACIES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
SHARES = [0.0, 0.25, 0.5, 0.75, 1.0]  # of the common right answers that two accuracies leave open
IMAGES = [40, 100, 400, 2000]


def agreement():
    """Cohen's kappa of two made-up networks, beside the range that their accuracies allow.

    To choose: how often each is right, how far what one gets right is what the other gets right, and the
    number of images.
    """
    def draw(panels):
        answers, kappa = panels
        bars = [answers.plot([], [], color=PALETTE[role], linewidth=14, solid_capstyle="butt")[0]
                for role in ("base", "guided")]
        answers.set(title="images answered right", xlim=(0, 100), ylim=(1.7, -0.7), yticks=[0, 1],
                    yticklabels=["A", "B"], xlabel="images (%)")
        answers.grid(False, axis="y")
        kappa.axvline(0, color="black", linewidth=1)
        (allowed,) = kappa.plot([], [], color="#bbbbbb", linewidth=14, solid_capstyle="butt", label="allowed")
        (interval,) = kappa.plot([], [], color=PALETTE["guided"], linewidth=3, label="interval")
        (now,) = kappa.plot([], [], "D", color=PALETTE["guided"], markersize=9)
        kappa.set(title="kappa of their errors", xlim=(-1.05, 1.05), ylim=(1.7, -0.7), yticks=[],
                  xlabel="0: as independent errors")
        kappa.legend(loc="lower left", fontsize="small", ncols=2)

        def move(a, b, share, images):
            right_a, right_b = answered(a, b, share, int(images))
            found = error_consistency(right_a, right_b)
            for bar, y, right in zip(bars, (0, 1), (right_a, right_b), strict=True):
                where = np.flatnonzero(right)
                bar.set_data([100 * where[0] / len(right), 100 * (where[-1] + 1) / len(right)], [y, y])
            allowed.set_data([found.least, found.most], [0.5, 0.5])
            interval.set_data([found.low, found.high], [0.5, 0.5])
            now.set_data([found.kappa], [0.5])
            return (f"A is right on {a:.0%} and B on {b:.0%} of {images:g} images. They agree on "
                    f"{found.observed:.0%}; independent errors would on {found.expected:.0%}. kappa "
                    f"{found.kappa:.2f} ({found.low:.2f} to {found.high:.2f}), where these accuracies allow "
                    f"{found.least:.2f} to {found.most:.2f}.")

        return [allowed, *bars, interval, now], move

    return Explorer(
        draw, panels=2, size=(6.5, 2.2),
        controls={"a": ("A is right on", ACCURACIES), "b": ("B is right on", ACCURACIES),
                  "share": ("right on the same (0 to 1)", SHARES), "images": ("images", IMAGES)},
        begin={"a": 0.8, "b": 0.8, "share": 0.75, "images": 400},
        frames=[{}, {"a": 0.95, "b": 0.5, "share": 1.0}, {"images": 40}],
        alt="Which images two made-up networks get right, and the kappa of their errors in its range.")


def answered(a, b, share, n):
    """(right_a, right_b), booleans (n,): A right on the first images, B on a stretch that begins among them.

    share: 0 for as few images in common as the accuracies allow, 1 for as many.
    """
    of_a, of_b = round(a * n), round(b * n)
    least, most = max(0, of_a + of_b - n), min(of_a, of_b)
    both = round(least + share * (most - least))
    image = np.arange(n)
    begin = of_a - both
    return image < of_a, (image >= begin) & (image < begin + of_b)
