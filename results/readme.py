"""Put the numbers of the first tutorial on the README's page, and draw its figure, from the kept records alone: python results/readme.py

A test renders the block again and compares. The records lie in results/fast, where `E.run_grid(..., out="results/fast")` leaves them.
"""

from pathlib import Path

from guidelib import figures
from guidelib.evidence import gates, results, summary
from guidelib.evidence import words as claims
from guidelib.experiments import CONDITIONS, config, seeds
from guidelib.experiments.records import path_of, read

HERE = Path(__file__).resolve().parent
FAST, README = HERE / "fast", HERE.parent / "README.md"
START, END = "<!-- results:start -->\n", "<!-- results:end -->\n"
ALONE = ("base", "base-tuned", "shifted-init", "base-residual", "guide-alone")
GUIDES = ("untrained", "trained", *(c.name for c in CONDITIONS["untrained"].controls()))
SHOWN = (*ALONE, *(g for g in GUIDES if g != "fresh-noise"), *(f"{g}-warm-up" for g in GUIDES))


def block(records):
    """The README's block: the setting, the figure, two tables, and what the rules say of both timings."""
    first, table = records[0], summary(records).set_index("condition")
    run = {c: [r for r in records if r["config"]["condition"] == c] for c in SHOWN}
    steps = run["untrained-warm-up"][0]["config"]["warm_up_steps"]

    def accuracy(condition):
        return claims.percent(*table.loc[condition, ["mean", "low", "high"]]) if condition in table.index else ""

    lines = [f"{claims.basis(records)}. The target is a fully connected net of {first['config']['depth']} layers, trained on "
             f"{first['config']['train']:,} digits for {first['config']['epochs']} epochs; chance is {claims.percent(first['metrics']['chance'])}. An "
             f"untrained ResNet guides it throughout, or in a warm-up of {steps} steps on noise, after which it is trained without. Every condition that was "
             "tuned, base, guides and controls alike, got as many trials as the others, on two other seeds, chosen on validation "
             "([log](results/search/deep-fcn-equal-fast.csv)):", "",
             "![Test accuracy of bases, guides and controls, guided throughout and after a warm-up](results/fast/02_controls.png)", "",
             "| without a guide | test accuracy, mean and 95 % interval over seeds |", "|---|---|"]
    lines += [f"| {claims.named(c)} | {accuracy(c)} |" for c in ALONE]
    lines += ["", "| guide | throughout: test accuracy | misalignment, first to last epoch | warm-up: test accuracy | misalignment, first to last steps |",
              "|---|---|---|---|---|"]
    for guide in GUIDES:
        cells = [cell for c in (guide, f"{guide}-warm-up") for cell in (accuracy(c), ends(run.get(c, [])))]
        lines.append(f"| {claims.named(guide)} | {' | '.join(cells)} |")
    fair = claims.best(records, ["base", "base-tuned"])
    for guide in ("untrained", "untrained-warm-up"):
        controls = [c.name for c in CONDITIONS[guide].controls()]
        rows = [claims.row(records, "", guide, paper="", base=base, controls=controls) for base in dict.fromkeys(("base", fair))]
        lines += ["", *(f"- {claims.sentence(row)}" for row in rows)]
        lines += ["", claims.controls_said(records, guide, controls)]
    shift = claims.percent(*claims.effect(records, "shifted-init", against="untrained-warm-up"), signed=True)
    lines += ["", f"One line without a guide, BatchNorm biases that start at 1, reaches {accuracy('shifted-init')}, {shift} points over the warm-up by the "
              "untrained guide."]
    return "\n".join(lines) + "\n"


def ends(records):
    """Where the misalignment began and ended, mean over seeds, with a word if it fell."""
    found = [pair for pair in map(gates.misalignment, records) if pair is not None]
    if not found:
        return ""
    first, last = (sum(pair[i] for pair in found) / len(found) for i in (0, 1))
    return f"{first:.2f} to {last:.2f}{', fell' if gates.fell(records) else ''}"


def records_of(folder):
    """The records behind the block: the runs of the first tutorial, with its seeds and settings, and no other."""
    paths = [path_of(config("deep-fcn", condition=c, seed=seed), folder) for c in SHOWN for seed in seeds("deep-fcn")]
    return [read(path) for path in paths if path.exists()]


def main():
    records = records_of(FAST)
    figures.theme()
    figure = figures.timings(results(records), summary(records), guides=GUIDES, references=ALONE, chance=records[0]["metrics"]["chance"],
                               note=claims.basis(records))
    figure.savefig(FAST / "02_controls.png", bbox_inches="tight", dpi=100)
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    README.write_text(before + START + block(records) + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
