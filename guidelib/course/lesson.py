"""What every tutorial repeats: its runs, its figures with their origin, its sentences, its closing table."""

import torch

from .. import __version__, evidence, figures
from ..experiments import CONDITIONS, architectures, collect, config, initialisations, run_grid, seeds
from ..experiments.grid import check_jobs
from ..experiments.kept import KEPT, kept_among
from ..experiments.procedure import PROBED
from ..experiments.runs import find_device
from ..experiments.settings import PROFILES, check
from ..widgets import Prediction
from . import checks, planted, timings
from .runs import Runs


def whole_numbers(seeds):
    """Seeds as a list, of one alone too; ValueError unless they are whole numbers, at least one; None stays.

    >>> whole_numbers(3), whole_numbers(None)
    ([3], None)
    """
    if seeds is None:
        return None
    found = [seeds] if isinstance(seeds, int) else seeds
    wrong = isinstance(found, str) or not found or not all(type(seed) is int for seed in found)
    if wrong:
        raise ValueError(f"seeds is a list of whole numbers, such as [30, 31], or None; received {seeds!r}")
    return list(found)


def basis_of(table, profile):
    """Seeds a size of net, test examples, profile and device of a study of starts, on one line.

    >>> import pandas as pd
    >>> row = {"data": "digits", "depth": 20, "width": 8, "seed": 20, "n_test": 497, "device": "cpu"}
    >>> basis_of(pd.DataFrame([row, row | {"seed": 21}]), "fast")
    '2 seeds a size, n = 497 test images, profile fast, cpu'
    """
    seeds = table.groupby(["data", "depth", "width"])["seed"].nunique()
    low, high = seeds.min(), seeds.max()
    told = f"{low} seeds" if low == high else f"{low} to {high} seeds"
    examples = " or ".join(map(str, table["n_test"].unique()))
    devices = ", ".join(table["device"].unique())
    return f"{told} a size, n = {examples} test images, profile {profile}, {devices}"


class Lesson:
    """A tutorial that is run: name of its notebook, profile, seeds, device, folder, runs at a time.

    seeds: None takes those of each experiment at this profile. At profile smoke one run is made at a time, as
    workers would take longer to start. At profile fast the runs that the project
    keeps are shown; with seeds of one's own, and at other profiles, missing ones are made. ValueError for
    options that make no sense.

    >>> lesson = Lesson("02_example", profile="smoke", out_dir="nowhere")
    >>> lesson.seeds("deep-fcn"), lesson.live_seed("deep-fcn")
    ([0, 1], 0)
    """

    def __init__(self, name, *, profile="fast", seeds=None, device="auto", out_dir="figures", jobs=2):
        check("profile", profile, PROFILES)
        if profile == "paper":
            raise ValueError("profile 'paper' needs several GPUs, and python -m guidelib run EXPERIMENT "
                             "--profile paper --dry-run says what it costs: choose smoke, fast or full here")
        if profile == "overnight":
            raise ValueError("profile 'overnight' is one of deep-fcn alone, whose runs python -m guidelib "
                             "compare deep-fcn --profile overnight makes: choose smoke, fast or full here")
        check_jobs(jobs)
        find_device(device)
        self.name, self.profile, self.chosen = name, profile, whole_numbers(seeds)
        self.out, self.device, self.jobs = out_dir, device, jobs if profile != "smoke" else 1
        self.makes = seeds is not None or profile != "fast"
        self.shown, self.made = Runs(), Runs()
        self.predictions = {}
        figures.theme()

    def _repr_markdown_(self):
        """Versions and profile, and what has to be known of the profile before any number."""
        own = "" if self.chosen is None else f", seeds {self.chosen}"
        torch_version = torch.__version__.split("+")[0]
        first = f"guidelib {__version__}, torch {torch_version}, profile {self.profile}{own}"
        took = timings.said(self.name, self.profile) if self.chosen is None else ""
        return "\n\n".join(filter(None, [first, evidence.caution(self.profile), took]))

    # Runs

    def seeds(self, experiment, *, regime="untrainable"):
        """The seeds whose results are reported."""
        return self.chosen or seeds(experiment, profile=self.profile, regime=regime)

    def live_seed(self, experiment):
        """The seed of what is made before the reader's eyes: the first of those that are reported on."""
        return self.seeds(experiment)[0]

    def config(self, experiment, condition="base", *, seed=None, **options):
        """The configuration of a condition, by default on the live seed of the base."""
        seed = self.live_seed(experiment) if seed is None else seed
        return config(experiment, condition=condition, profile=self.profile, seed=seed, **options)

    def configs(self, experiment, conditions, seeds, **options):
        return [self.config(experiment, c, seed=seed, **options) for c in conditions for seed in seeds]

    def runs(self, experiment, *conditions, regime="untrainable", **options):
        """The Runs of conditions on all seeds: kept with the project, in the folder, made, or missing."""
        seeds = self.seeds(experiment, regime=regime)
        configs = self.configs(experiment, conditions, seeds, regime=regime, **options)
        return self._noted(*collect(configs, out=self.records, make=self.makes, jobs=self.jobs,
                                    device=self.device))

    def train(self, experiment, *conditions, seeds=None, **options):
        """The Runs of conditions, trained here unless they lie in the folder; seeds: default the live one."""
        seeds = [self.live_seed(experiment)] if seeds is None else seeds
        configs = self.configs(experiment, conditions, seeds, **options)
        made = Runs(run_grid(configs, out=self.records, jobs=self.jobs, device=self.device))
        self.made += made
        return made

    @property
    def records(self):
        return f"{self.out}/records"

    def _noted(self, records, missing=()):
        """Runs, each of which the closing table counts once among those kept or computed."""
        known = [r["config"] for r in self.shown]
        self.shown += Runs([r for r in records if r["config"] not in known])
        return Runs(records, missing)

    # Figures, each saved as NUMBER_NAME; alt: one sentence for a reader who cannot see it

    def show(self, figure, name, *, alt):
        """Save a figure and return it as an image with its alternative text."""
        return figures.show(figure, f"{self.name[:2]}_{name}", alt=alt, out=self.out)

    def accuracy(self, runs, name, *, alt, title="", live=(), metric="test_accuracy", chance=None, **options):
        """Every condition of some runs: seeds, mean, interval; title: in front of their basis."""
        if runs:
            if chance is None and metric == "test_accuracy":
                chance = runs[0]["metrics"]["chance"]
            if title:
                options["note"] = f"{title}: {evidence.basis(runs)}"
            figure = figures.accuracy(runs, metric=metric, chance=chance, live=live, **options)
            self.display(self.show(figure, name, alt=alt))
        self.origin(runs, live)

    def timings(self, runs, name, *, alt, guides, references, live=(), closer=False):
        """Guided throughout and after a warm-up, side by side, with the references in both panels."""
        warmed = [CONDITIONS[guide].at("warm-up").name for guide in guides]
        runs, live = (some.of(*references, *guides, *warmed) for some in (runs, Runs(live)))
        if runs:
            figure = figures.timings(runs, guides=guides, references=references, live=live,
                                     chance=runs[0]["metrics"]["chance"], closer=closer)
            self.display(self.show(figure, name, alt=alt))
        self.origin(runs, live)

    def starts(self, name, *, alt):
        """The study of initialisations that the project keeps at this profile, or that there is none."""
        table = initialisations.kept(self.profile)
        if table is None:
            self.display(self.say("The study of starts at other sizes is not kept at this profile."))
            return
        night = evidence.real_images.starts(KEPT)
        note = basis_of(table, self.profile)
        if len(night):
            note += f"; CIFAR-10: {basis_of(night, 'overnight')}"
        figure = figures.starts(table, more=night if len(night) else None, note=note)
        self.display(self.show(figure, name, alt=alt))
        nights = [evidence.command("deep-fcn", profile="overnight")] * bool(len(night))
        made = evidence.starts.one_curve(table)
        self.display(self.say(evidence.starts.answers(made), evidence.starts.said(made)))
        self.again(evidence.study_command("initialisations", self.profile), *nights)

    def real_images(self):
        """What the kept runs on real images reach, a table, or that there are none."""
        table = evidence.real_images.real_images(KEPT)
        if table.empty:
            return self.say("Runs on real images are not kept yet.")
        made = [evidence.command("deep-fcn", profile=evidence.real_images.PROFILE)]
        return self.say(f"{evidence.real_images.basis(table)}.", evidence.real_images.said(table),
                        evidence.again(made))

    def which_layers(self, *experiments, alt):
        """What guides of some layers alone reach, where such runs are kept: a figure, and a table each."""
        which = evidence.which_layers
        tables = {name: which.reached(KEPT, name, profile=self.profile) for name in experiments}
        tables = {name: table for name, table in tables.items() if not table.empty}
        if not tables:
            self.display(self.say("Runs guided in some layers alone are not kept at this profile."))
            return
        bases = {name: (table["mean"] - table["gain"]).mean() for name, table in tables.items()}
        controls = {name: which.reached(KEPT, name, condition=which.CONTROL, profile=self.profile)
                    for name in tables}
        note = f"untrained guide, profile {self.profile}, Student-t 95 % over seeds"
        figure = figures.which_layers(tables, bases=bases, controls=controls, note=note)
        self.display(self.show(figure, "layers", alt=alt))
        self.display(self.say(*(f"{name}, {which.basis(table)}:\n\n{which.said(table, controls[name])}"
                                for name, table in tables.items())))
        beside = [f"{name}, {line}." for name in tables
                  for line in which.over_control(KEPT, name, profile=self.profile)]
        if beside:
            self.display(self.say(beside))
        again = [evidence.command(name, profile=self.profile, settings={"layers": table["layers"].iloc[0]},
                                  conditions=["untrained", *[which.CONTROL] * (not controls[name].empty)])
                 for name, table in ((name, table[table["count"] > 0]) for name, table in tables.items())]
        self.display(self.say(f"{evidence.again(again)} *The other choices likewise.*"))

    def nearness(self, measure, *, condition, alt):
        """A map of the study of architectures, of the runs with a guide of this condition."""
        pairs = self.pairs(condition)
        if pairs is None:
            self.display(self.say("The map of architectures is not kept at this profile."))
            return
        note = f"{CONDITIONS[condition].label}, {pairs['seed'].nunique()} seeds, profile {self.profile}"
        figure = figures.nearness(evidence.nearness.cells(pairs), measure=measure, note=note)
        self.display(self.show(figure, f"{measure}_{condition}", alt=alt))
        self.again(evidence.study_command("architectures", self.profile))

    def nearness_said(self, condition):
        """What the map of architectures says of its questions, a list for say(), or []."""
        pairs = self.pairs(condition)
        if pairs is None:
            return []
        ways, gain, start = evidence.nearness.said(pairs)
        return [evidence.words.capital(f"{text}.") for text in (ways, f"{gain}, {start}")]

    def pairs(self, condition):
        """The table of the map of architectures for a condition, or None if none is kept at this profile."""
        table = architectures.kept(self.profile)
        return None if table is None else evidence.nearness.by_pair(table, condition=condition)

    def curves(self, runs, name, *, alt, columns, ylabel, chance=None, scale=1.0):
        """Learning curves by condition; columns: {column of the history: title}."""
        figure = figures.curves(evidence.histories(runs), columns=columns, ylabel=ylabel, chance=chance,
                                scale=scale, note=evidence.basis(runs))
        return self.show(figure, name, alt=alt)

    def dimension(self, runs, name, *, alt, lines, title=""):
        """Effective dimension by layer; lines: {label: (condition, "start", "warmed up" or "end")}."""
        tables = {label: evidence.dimensions(runs, *line) for label, line in lines.items()}
        tables = {label: found for label, found in tables.items() if found}
        shown = runs.of(*(condition for condition, _ in lines.values()))
        if tables:
            drawn = runs.of(*(lines[label][0] for label in tables))
            note = ": ".join(filter(None, [title, evidence.basis(drawn, split="validation", at_most=PROBED)]))
            self.display(self.show(figures.dimension(tables, note=note), name, alt=alt))
        self.origin(shown)

    # Questions to the learner

    def predict(self, name, question, options):
        """Ask for a prediction before the cell that answers it; shown beside the result by `found`."""
        self.predictions[name] = Prediction(question, options)
        return self.predictions[name]

    def found(self, name, *texts):
        """Texts about what came out, after what the learner had predicted, if anything."""
        asked = self.predictions.get(name)
        return self.say(asked and asked.said, *texts)

    def check(self, name, answer):
        """What there is to say to an answer to an exercise of this notebook: right, or what to look at."""
        return checks.find(self.name, name)(answer)

    def reports(self, experiment, *, guide, control, **options):
        """Six reports on kept runs, all but one with a flaw planted in them, as tables with a letter each."""
        tables = planted.reports(self.name[:2], experiment, guide=guide, control=control, **options)
        return self.say(*(f"**Report {letter}**\n\n{planted.in_markdown(table)}"
                          for letter, table in tables.items()))

    # Words and tables

    def display(self, *things):
        from IPython.display import display

        display(*things)

    def origin(self, runs, live=()):
        """Show which of some runs are kept records, which were computed here, and which are missing."""
        self.display(self.say(evidence.origin(runs, live, missing=getattr(runs, "missing", ()))))

    def again(self, *made):
        """Show by which commands runs are made again."""
        self.display(self.say(evidence.again(made)))

    def ledger(self):
        """Every claim against the records that the project keeps: a row a claim and setting."""
        return evidence.ledger(KEPT)

    def at_a_glance(self):
        """What guides, controls and the best recipe add at every setting that the project keeps."""
        return evidence.at_a_glance(KEPT)

    def remade(self, live):
        """Whether runs that were made here are those that the project keeps, to the last bit."""
        return self.say(evidence.remade(live))

    def say(self, *texts):
        """Texts as paragraphs; a list is shown as bullets."""
        from IPython.display import Markdown

        parts = [evidence.bullets(text) if isinstance(text, list) else text for text in texts]
        return Markdown("\n\n".join(filter(None, parts)))

    def table(self, runs, metric="test_accuracy"):
        """The conditions of some runs with a metric, mean and interval over seeds."""
        from IPython.display import Markdown

        return Markdown(evidence.metric_table(runs, metric) if runs else "No runs at this profile.")

    def sentences(self, rows):
        """Rows of the closing table as sentences, each with its claim in front."""
        return self.say([f"*{row['claim']}.* {evidence.sentence(row)}" for row in rows])

    def close(self, rows):
        """Write the closing table beside the figures, show it and how all kept runs are made again."""
        kept = kept_among(self.shown)
        made = [r for r in self.made if r["config"] not in [s["config"] for s in self.shown]]
        computed = len(self.shown) - len(kept) + len(made)
        evidence.save(rows, self.name, profile=self.profile, out=self.out, kept=len(kept), computed=computed)
        self.again(*evidence.commands(kept))
        return evidence.table(rows)
