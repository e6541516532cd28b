"""Put the numbers of `make figures` on the README's page: python results/readme.py [FIGURES]

Copies the run records behind the first tutorial's figure, and the figure, into results/fast, and renders the README's block from
these records alone; a test renders it again and compares.
"""

import shutil
import sys
from pathlib import Path

from guidelib import claims
from guidelib.experiments import SEEDS, config, summary
from guidelib.experiments.records import path_of, read

HERE = Path(__file__).resolve().parent
FAST, README = HERE / "fast", HERE.parent / "README.md"
START, END = "<!-- results:start -->\n", "<!-- results:end -->\n"
CONDITIONS = ["base", "base-tuned", "untrained-warm-up", *(f"{name}-warm-up" for name in claims.CONTROLS)]


def block(records):
    """The README's block: a sentence, the figure, and a table with one line a condition."""
    chance, setting = records[0]["metrics"]["chance"], claims.setting(records)
    table = summary(records).set_index("condition")
    seconds = sum(r["duration_s"] for r in records)
    lines = [f"From `make figures` ({setting}; {len(records)} runs, {seconds / 60:.0f} minutes of one core). The target is a fully connected net of "
             f"{records[0]['config']['depth']} layers; chance is {claims.percent(chance)}. Aligned on noise to an untrained ResNet for "
             f"{records[0]['config']['warm_up_steps']} steps, then trained without it:", "",
             "![Test accuracy of base, warm-up by an untrained guide, and controls](results/fast/02_controls.png)", "",
             "| condition | test accuracy, mean and 95 % interval over seeds | warm-up by the untrained guide minus this, points |", "|---|---|---|"]
    for condition in [c for c in CONDITIONS if c in table.index]:
        mean, low, high = table.loc[condition, ["mean", "low", "high"]]
        gain = "" if condition == "untrained-warm-up" else claims.percent(*claims.effect(records, "untrained-warm-up", against=condition), signed=True)
        lines.append(f"| {claims.LABELS[condition]} | {claims.percent(mean, low, high)} | {gain} |")
    fair = claims.best(records, ["base", "base-tuned"])
    controls = [c for c in CONDITIONS if claims.role(c) == "control"]
    for base, words in (("base", "Against the base as it is"), (fair, "Against the fair base")):
        row = claims.row(records, "", "untrained-warm-up", paper="", base=base, controls=controls)
        lines += ["", f"{words}: {claims.sentence(row)}"]
    return "\n".join(lines) + "\n"


def records_of(folder):
    """The records behind the block: the runs of the first tutorial, with its seeds and settings, and no other."""
    paths = [path_of(config("deep-fcn", condition=condition, seed=seed), folder) for condition in CONDITIONS for seed in SEEDS["fast"]]
    return [read(path) for path in paths if path.exists()]


def main():
    figures = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "figures"
    FAST.mkdir(parents=True, exist_ok=True)
    for path in (figures / "records").glob("*-fast-*.json"):  # runs of the other tutorials too: the ledger reads them
        shutil.copy(path, FAST)
    shutil.copy(figures / "02_controls.png", FAST)
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    README.write_text(before + START + block(records_of(FAST)) + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
