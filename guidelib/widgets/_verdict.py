"""The rules as a machine: choose what was found, and see which gate closes and what is answered."""

import numpy as np

from ..evidence import effect, percent
from ..evidence.words import in_words
from ..figures import MARKERS, PALETTE
from ._explorer import Explorer

BASE, CHANCE = 0.45, 0.1  # of the made-up experiment
GUIDED, CONTROL = "untrained", "identity"
SIDES = {"base": "base", GUIDED: "guided", CONTROL: "control"}
START = 0.8  # misalignment before training
N = 500  # test examples


def verdict():
    """Made-up runs of a base, a guide and a control, and what the rules say of them.

    To choose: by how much guide and control lift the base, how far seeds scatter, how many there are,
    and to which share of itself the misalignment falls.
    """
    def draw(panels):
        (ax,) = panels
        moving = {}
        for y, (condition, role) in enumerate(SIDES.items()):
            (points,) = ax.plot([], [], MARKERS[role], color=PALETTE[role], alpha=0.5, linestyle="none")
            (mean,) = ax.plot([], [], "|", color="black", markersize=22)
            moving[condition] = y, points, mean
        ax.set(yticks=range(3), yticklabels=["base", "guide", "control"], ylim=(2.5, -0.5), xlim=(0, 100),
               xlabel="test accuracy (%), made up")

        def move(gain, control, spread, seeds, left):
            records = made_up(gain, control, spread, int(seeds), left)
            for condition, (y, points, mean) in moving.items():
                values = [100 * r["metrics"]["test_accuracy"] for r in records
                          if r["config"]["condition"] == condition]
                points.set_data(values, [y] * len(values))
                mean.set_data([np.mean(values)], [y])
            found = effect(records, GUIDED, controls=(CONTROL,))
            gained = percent(*found.gain, signed=True, share=False)
            return (f"Guide over base: {gained} points; misalignment {START:.2f} to {left * START:.2f}. "
                    f"Does it help? {found.helps}. Is it the guide? {in_words(found.specific)}. "
                    f"Verdict: {found.verdict}.")

        return [artist for _, *artists in moving.values() for artist in artists], move

    return Explorer(
        draw, size=(6.5, 2.2),
        controls={
            "gain": ("guide over base (points)", [-8, -4, 0, 2, 4, 6, 8, 10, 15, 20, 30]),
            "control": ("control over base (points)", [-8, -4, 0, 2, 4, 6, 8, 10, 15, 20, 30]),
            "spread": ("scatter of a seed (points)", [0.5, 1, 2, 4, 6, 8, 12, 16]),
            "seeds": ("seeds", [3, 5, 8, 10, 16, 20]),
            "left": ("misalignment left (share)", [0.3, 0.5, 0.7, 0.9, 1.0]),
        },
        begin={"gain": 8, "control": 0, "spread": 4, "seeds": 10, "left": 0.5},
        frames=[{}, {"seeds": 5}, {"control": 8}, {"left": 0.9}],
        alt="Made-up test accuracies of base, guide and control.")


def made_up(gain, control, spread, seeds, left):
    """Records of a base, a guide, a control and the guide's architecture alone; gain, spread in points."""
    random = np.random.default_rng(0)
    shifts = {"base": 0.0, GUIDED: gain / 100, CONTROL: control / 100, "guide-alone": 0.4}
    records = []
    for condition, shift in shifts.items():
        noise = random.standard_normal(seeds)
        noise = (noise - noise.mean()) / noise.std(ddof=1)  # so that mean and scatter are what was chosen
        noise = noise * spread / 100
        for seed, e in enumerate(noise.tolist()):
            accuracy = float(np.clip(BASE + shift + e, 0, 1))
            records.append({
                "config": {"condition": condition, "seed": seed},
                "metrics": {"test_accuracy": accuracy, "validation_accuracy": accuracy, "chance": CHANCE,
                            "n_test": N},
                "curves": {"probe": {"moments": ["start", 1], "misalignment": [[START], [left * START]]}},
            })
    return records
