"""Put the numbers of the first tutorial on the README's page, and draw its figure: python results/readme.py

They come from the kept records in results/fast alone; a test renders the block again and compares.
"""

from pathlib import Path

from guidelib import evidence, figures
from guidelib.evidence.metrics import of
from guidelib.experiments import CONDITIONS, config, seeds
from guidelib.experiments.records import path_of, read

HERE = Path(__file__).resolve().parent
FAST = HERE / "fast"
README = HERE.parent / "README.md"
START, END = "<!-- results:start -->\n", "<!-- results:end -->\n"
ALONE = ("base", "base-tuned", "shifted-init", "base-residual", "guide-alone")
GUIDES = ("untrained", "trained", *(c.name for c in CONDITIONS["untrained"].controls()))
THROUGHOUT = tuple(guide for guide in GUIDES if guide != "fresh-noise")
WARMED_UP = tuple(CONDITIONS[guide].at("warm-up").name for guide in GUIDES)
SHOWN = (*ALONE, *THROUGHOUT, *WARMED_UP)


def block(records):
    """The README's block: the setting, the figure, two tables, and what the rules say of both timings."""
    first = records[0]
    table = evidence.summary(records).set_index("condition")
    steps = of(records, "untrained-warm-up")[0]["config"]["warm_up_steps"]
    layers, train, epochs = (first["config"][name] for name in ("depth", "train", "epochs"))
    chance = evidence.percent(first["metrics"]["chance"])

    def accuracy(condition):
        if condition not in table.index:
            return ""
        return evidence.percent(*table.loc[condition, ["mean", "low", "high"]])

    lines = [
        f"{evidence.basis(records)}. The target is a fully connected net of {layers} layers, trained on "
        f"{train:,} digits for {epochs} epochs; chance is {chance}. An untrained ResNet guides it "
        f"throughout, or in a warm-up of {steps} steps on noise, after which it is trained without. Every "
        "condition that was tuned, base, guides and controls alike, got as many trials as the others, on two "
        "other seeds, chosen on validation ([log](results/search/deep-fcn-equal-fast.csv)):",
        "",
        "![Test accuracy of bases, guides and controls, guided throughout and after a warm-up]"
        "(results/fast/02_controls.png)",
        "",
        "| without a guide | test accuracy, mean and 95 % interval over seeds |",
        "|---|---|",
    ]
    lines += [f"| {evidence.named(c)} | {accuracy(c)} |" for c in ALONE]
    lines += [
        "",
        "| guide | throughout: test accuracy | misalignment, first to last epoch | "
        "warm-up: test accuracy | misalignment, first to last steps |",
        "|---|---|---|---|---|",
    ]
    for guide, warmed in zip(GUIDES, WARMED_UP, strict=True):
        cells = [evidence.named(guide)]
        for condition in (guide, warmed):
            cells += [accuracy(condition), ends(of(records, condition))]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for guide in ("untrained", "untrained-warm-up"):
        controls = [c.name for c in CONDITIONS[guide].controls()]
        fair = evidence.effect(records, guide).against
        for base in dict.fromkeys(("base", fair)):
            row = evidence.row(records, "", guide, paper="", against=base, controls=controls)
            lines.append(f"- {evidence.sentence(row)}")
        lines += ["", evidence.controls_said(records, guide, controls), ""]
    shift = evidence.percent(*evidence.difference(records, "shifted-init", "untrained-warm-up"), signed=True)
    lines.append("One line without a guide, BatchNorm biases that start at 1, reaches "
                 f"{accuracy('shifted-init')}, {shift} points over the warm-up by the untrained guide.")
    return "\n".join(lines) + "\n"


def ends(records):
    """Where the misalignment began and ended, mean over seeds, with a word if it fell."""
    found = evidence.mean_misalignment(records)
    if found is None:
        return ""
    first, last = found
    text = f"{first:.2f} to {last:.2f}"
    return f"{text}, fell" if evidence.fell(records) else text


def records_of(folder):
    """The records behind the block: the runs of the first tutorial, with its seeds and settings, no other."""
    configs = [config("deep-fcn", condition=c, seed=seed) for c in SHOWN for seed in seeds("deep-fcn")]
    paths = [path_of(made, folder) for made in configs]
    return [read(path) for path in paths if path.exists()]


def main():
    records = records_of(FAST)
    figures.theme()
    figure = figures.timings(records, guides=GUIDES, references=ALONE, chance=records[0]["metrics"]["chance"])
    figure.savefig(FAST / "02_controls.png", bbox_inches="tight", dpi=100)
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    README.write_text(before + START + block(records) + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
