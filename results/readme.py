"""Put the numbers of the records on the README's page, and draw its figures: python results/readme.py

They come from the kept records alone; a test renders the blocks again and compares.
"""

from pathlib import Path

from guidelib import evidence, figures
from guidelib.course import timings
from guidelib.evidence.matching import runs
from guidelib.evidence.metrics import of
from guidelib.experiments import architectures, config, seeds
from guidelib.experiments.records import path_of, read

HERE = Path(__file__).resolve().parent
FAST = HERE / "fast"
README = HERE.parent / "README.md"
START, END = "<!-- results:start -->\n", "<!-- results:end -->\n"
ELSE, DONE = "<!-- elsewhere:start -->\n", "<!-- elsewhere:end -->\n"
FROM, TO = "<!-- time:start -->", "<!-- time:end -->"
SHORT, LONG = "<!-- short:start -->\n", "<!-- short:end -->\n"
GLANCE = ("![Points that guides, their controls and the best recipe without a guide add to the base, at each "
          "setting](results/fast/at_a_glance.png)")
AGAIN = ("`python -m guidelib compare EXPERIMENT` makes the runs of a setting again, with `--regime overfit` "
         "where it overfits.")
MINUTES, THESE = "<!-- minutes:start -->", "<!-- minutes:end -->"
ALONE = ("base", "base-longer", "base-tuned", "shifted-init", "looks-linear-init", "balanced-init",
         "base-residual", "guide-alone")
GUIDES = ("untrained", "trained", "identity", "data-gram", "shuffled", "same-family", "other-family",
          "fresh-noise", "moved-as-far")  # the last before training alone
SHOWN = (*ALONE, *GUIDES[:-1], *(figures.under(guide, "warm-up") for guide in GUIDES))
# The rows of the table, at most eight: what is guided throughout, what comes before training, and one line.
THROUGHOUT = ("untrained", "trained", "data-gram", "shuffled")
BEFORE = ("untrained-warm-up", "shuffled-warm-up", "moved-as-far", "looks-linear-init")
ASKED = ("untrained", "trained", "untrained-warm-up")
# Of the runs on real images, what the README tells; the others are in notebook 09.
REAL = ("guide-alone", "shifted-init", "trained", "untrained", "data-gram", "shuffled", "base")


def short(folder):
    """What all settings say together: counts, and a figure; controls by name are left to the ledger."""
    counts = [line for line in evidence.in_short(folder) if not line.startswith("  ")]
    return "\n".join([*counts, "", GLANCE, "", AGAIN]) + "\n"


def block(records):
    """The README's block: the setting, the figure, a table, and what the rules answer."""
    if not records:
        return "The runs at the present settings are not there yet.\n"
    first = of(records, "base")[0]
    layers, train, epochs = (first["config"][name] for name in ("depth", "train", "epochs"))
    steps = of(records, "untrained-warm-up")[0]["config"]["warm_up_steps"]
    chance = evidence.percent(first["metrics"]["chance"])
    lines = [
        f"{evidence.basis(records)}. The target is a fully connected net of {layers} layers, trained on "
        f"{train:,} digits for {epochs} epochs; chance is {chance}. A ResNet guides it throughout, or in a "
        f"warm-up of {steps} steps on noise, after which it is trained without. Base, guides and controls "
        "were tuned by as many trials each, on three other seeds, chosen on validation "
        "([log](results/search/deep-fcn-untrainable-fast.csv)); `python -m guidelib compare deep-fcn --out "
        "records` makes these runs again.",
        "",
        "![Test accuracy of bases, guides and controls, guided throughout and after a warm-up]"
        "(results/fast/02_controls.png)",
        "",
        "| | test accuracy | more than the base, points | misalignment |",
        "|---|---|---|---|",
    ]
    lines += [row(records, condition) for condition in (*THROUGHOUT, *BEFORE)]
    lines += ["", references(records), ""]
    lines += [f"- {evidence.sentence(evidence.row(records, '', name, paper=''))}" for name in ASKED]
    return "\n".join(lines) + "\n"


def references(records):
    """What the rows of the table are set against, and what those bases reach."""
    reached = {name: evidence.effect(records, name).ours for name in ("base", "base-longer", "base-tuned")}
    base, longer, best = (evidence.shown("test_accuracy", *ours) for ours in reached.values())
    return (f"The base reaches {base}. Warm-ups, and the random move beside them, are set against a base "
            f"that is trained for as many steps more, {longer}; all else against the base. The tuned base, "
            f"the best recipe without a guide, reaches {best}.")


def elsewhere(folder):
    """What the map of architectures and the runs on real images show, a line each."""
    return "\n".join([*mapped(), *overnight(folder.parent)])


def mapped():
    """The map of architectures in a line, if it is kept."""
    table = architectures.kept()
    if table is None:
        return []
    pairs = evidence.nearness.by_pair(table)
    ways, *_ = evidence.nearness.said(pairs)
    basis = f"{pairs['seed'].nunique()} seeds, n = {table['n_test'].iloc[0]} test images, profile fast, cpu"
    link = "[06](notebooks/06_what_is_transferred.ipynb)"
    again = f"made by `{evidence.study_command('architectures')}`"
    return ["**A map of architectures**, four families of nets, each guided by an untrained net of every "
            f"other ({basis}; notebook {link}; {again}): {ways}.", ""]


def overnight(folder):
    """What is reached on real images by bases, and by guides and controls throughout, if it is kept."""
    table = evidence.real_images.real_images(folder)
    if table.empty:
        return []
    shown = table[table["condition"].isin(REAL) & (table["layers"] == "all")]
    best = shown.sort_values("mean", ascending=False, kind="stable")
    told = [f"{evidence.real_images.label(r)} {evidence.shown('test_accuracy', r.mean, r.low, r.high)}"
            for r in best.itertuples()]
    link = "[09](notebooks/09_paper_and_beyond.ipynb)"
    again = f"made by `{evidence.command('deep-fcn', profile='overnight')}`"
    return [f"**Real images without a GPU** ({evidence.real_images.basis(table)}; with warm-ups in notebook "
            f"{link}; {again}): {'; '.join(told)}.", ""]


def row(records, condition):
    """A line of the table: what a condition reaches, against which base, and how its misalignment changed."""
    found = evidence.effect(records, condition)
    runs = evidence.by_seed(records).get(condition, {})
    ends = evidence.mean_misalignment(runs.values())
    aligned = ""
    if ends:
        aligned = "{:.2f} to {:.2f}".format(*ends) + ", fell" * bool(evidence.treated(runs))
    cells = [evidence.named(condition), evidence.shown(found.metric, *found.ours),
             evidence.shown(found.metric, *found.gain, signed=True), aligned]
    return f"| {' | '.join(cells)} |"


def records_of(folder, experiment="deep-fcn", conditions=SHOWN, *, regime="untrainable"):
    """The runs of an experiment on its seeds at its own settings, no other: those behind the block."""
    configs = [config(experiment, condition=c, seed=seed, regime=regime)
               for c in conditions for seed in seeds(experiment)]
    paths = [path_of(made, folder) for made in configs]
    return [read(path) for path in paths if path.exists()]


def spent(folder):
    """How many runs the tutorials can make, and how long they took: what it takes to compute all of it.

    Guides used in another way are shown from their records alone.
    """
    seconds = [run.record["duration_s"] for run in runs(folder) if not run.changed]
    hours = sum(seconds) / 3600 / 2  # two at a time, of one thread each, on two cores
    return f"{len(seconds):,} runs, which took {hours:.1f} hours two at a time"


def lasted():
    """How long the two profiles of `make figures` took where their timings were kept."""
    seconds = timings.whole(timings.kept())
    if not {"smoke", "fast"} <= set(seconds):
        return ""
    (machine,) = timings.kept()["machine"].unique()
    return (f" (here in {timings.lasting(seconds['smoke'])}; `make figures` itself took "
            f"{timings.lasting(seconds['fast'])}: {machine})")


def main():
    records = records_of(FAST)
    if records:
        figures.theme()
        figure = figures.timings(records, guides=GUIDES, references=ALONE,
                                 chance=records[0]["metrics"]["chance"])
        figure.savefig(FAST / "02_controls.png", bbox_inches="tight", dpi=100)
        figure = figures.at_a_glance(evidence.at_a_glance(HERE))
        figure.savefig(FAST / "at_a_glance.png", bbox_inches="tight", dpi=100)
    text = README.read_text(encoding="utf-8")
    parts = ((SHORT, LONG, short(HERE)), (START, END, block(records)), (ELSE, DONE, elsewhere(FAST)),
             (FROM, TO, spent(FAST)), (MINUTES, THESE, lasted()))
    for start, end, made in parts:
        before, _, rest = text.partition(start)
        text = before + start + made + end + rest.partition(end)[2]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
