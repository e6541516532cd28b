"""The numbers of a run that claims are about: their names, whether more is better, where each is read."""

import math
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class Metric:
    """A number of a run.

    higher: whether more of it is better. percent: a share, told in per cent. margin: the smallest difference
    that counts, fixed before any run, or None. of_the_whole: it says how good a trained net is on the whole,
    so that two architectures may be compared by it. within: it is a difference within a run, to be set
    against 0 and no other run. describes: more of it is neither help nor harm. alignment: it is about how a
    guide was approached. bounded: it lies between 0 and 1. points: it is a difference of two shares, told in
    points. digits: decimals of what is no share.
    """

    words: str
    higher: bool = True
    percent: bool = True
    margin: float | None = 0.03
    of_the_whole: bool = False
    within: bool = False
    describes: bool = False
    alignment: bool = False
    bounded: bool = False
    points: bool = False
    digits: int = 3


METRICS = {
    "test_accuracy": Metric("test accuracy", of_the_whole=True, bounded=True),
    "test_accuracy_last": Metric("test accuracy after the last epoch"),
    "test_perplexity": Metric("test perplexity", higher=False, percent=False, margin=None, of_the_whole=True,
                              digits=2),
    "test_share": Metric("share of the way from chance to the floor", margin=0.05, of_the_whole=True),
    "gap_last": Metric("training minus validation accuracy after the last epoch", higher=False,
                       points=True),
    "train_accuracy_last": Metric("training accuracy after the last epoch", bounded=True),
    "train_loss": Metric("training loss after the last epoch", higher=False, percent=False, margin=None),
    "above_chance": Metric("test accuracy above chance", within=True, describes=True, points=True),
    "share_above_chance": Metric("share of the way from chance to the floor", margin=0.05, within=True,
                                 describes=True, points=True),
    "decoded_above_chance": Metric("accuracy of linear decoders, mean over the hidden layers, above chance",
                                   within=True, describes=True, points=True),
    "misalignment": Metric("misalignment at the end", higher=False, percent=False, margin=0.05,
                           alignment=True),
    "early_fall": Metric("fall of the misalignment, first third of the pairs more than last third",
                         percent=False, margin=0.05, within=True, describes=True, alignment=True),
    "late_misalignment": Metric("misalignment at the end, last third of the pairs more than first third",
                                percent=False, margin=0.05, within=True, describes=True),
    "dimension": Metric("effective dimension at the end, mean over the hidden layers", percent=False,
                        margin=None, describes=True, digits=1),
    "error_consistency": Metric("error consistency of two runs (Cohen's kappa)", percent=False, margin=0.05,
                                describes=True, digits=2),
    "gradient_ratio": Metric("gradient norm of the first hidden layer over that of the last, before training",
                             higher=False, percent=False, margin=None, describes=True, digits=2),
}


ABOVE = {"above_chance": "test_accuracy", "decoded_above_chance": "decoded_accuracy"}


def look(values):
    """The mean of one look of a probe over the pairs; NaN where a run had diverged, None in its record.

    >>> look([0.25, 0.75]), look([0.25, None])
    (0.5, nan)
    """
    return math.nan if None in values else fmean(values)


def value(record, metric):
    """A metric of a record, or the end of its training curve of that name; None without, or if not finite.

    test_share, made from the losses: how far a run has gone from a blind guess, 0, to the best possible loss,
    1, and at least -1; where nobody knows that, to no loss at all. misalignment: the mean over pairs at the
    last look, on held-out examples in eval mode; late_misalignment: then. early_fall: from the first look to
    the last.

    >>> curves = {"training": {"train_loss": [2.0, 0.5]}}
    >>> value({"metrics": {"gap_last": 0.1}, "curves": curves}, "train_loss")
    0.5
    >>> losses = {"test_loss": 2.0, "chance_loss": 3.0, "floor_loss": 1.0}
    >>> value({"metrics": losses, "curves": {}}, "test_share")
    0.5
    """
    metrics = record["metrics"]
    found = metrics.get(metric)
    if metric in ("test_share", "share_above_chance"):
        found = _share(metrics)
    looks = record.get("curves", {}).get("probe", {}).get("misalignment")
    if metric == "misalignment":
        return finite(look(looks[-1])) if looks and looks[-1] else None
    if metric == "dimension":
        *hidden, _ = record.get("curves", {}).get("dimension", {}).get("end", (None,))  # but the logits
        found = look(hidden) if hidden else None
    if metric == "early_fall":
        found = _early_fall(looks)
    if metric == "late_misalignment":
        found = _thirds(looks[-1]) if looks else None
    if metric in ABOVE and ABOVE[metric] in metrics:
        found = metrics[ABOVE[metric]] - metrics["chance"]
    if metric == "gradient_ratio":
        found = _ratio(record["curves"].get("probe"))
    if found is None:
        curve = record.get("curves", {}).get("training", {}).get(metric)
        found = curve[-1] if curve else None
    return finite(found)


def finite(found):
    return None if found is None or not math.isfinite(found) else float(found)


def _early_fall(looks):
    """How much further the first third of the pairs came than the last, None for fewer than 3.

    >>> _early_fall([[0.9, 0.9, 0.9], [0.2, 0.5, 0.8]])
    0.6
    """
    if not looks or None in (*looks[0], *looks[-1]):
        return None
    return _thirds([last - first for first, last in zip(looks[0], looks[-1], strict=True)])


def _thirds(values):
    """The mean of the last third of some values over pairs less that of the first, None for fewer than 3.

    >>> _thirds([0.1, 0.5, 0.4]), _thirds([0.1, None, 0.4]), _thirds([0.1, 0.4])
    (0.3, None, None)
    """
    third = len(values) // 3
    if not third or None in values:
        return None
    return round(fmean(values[-third:]) - fmean(values[:third]), 6)


def _ratio(probe):
    """Gradient norm of the first hidden layer over that of the last, when training begins."""
    if not probe or len(probe["layers"]) < 3:
        return None
    before = probe["moments"].index("warmed up") if "warmed up" in probe["moments"] else 0
    first, *_, last, _ = probe["gradient"][before]  # the very last layer is that of the logits
    return first / last if first is not None and last else None


def _share(metrics):
    loss = metrics.get("test_loss")
    chance = metrics.get("chance_loss")
    if loss is None or chance is None:
        return None
    # A run that diverged counts as far below chance as the floor is above, and not without bound.
    return max((chance - loss) / (chance - metrics.get("floor_loss", 0.0)), -1.0)


def judged_by(record):
    """The metric that says how good a run of this experiment is on the whole.

    Test accuracy; of language, where few words can be foreseen, the share of the way to the floor.

    >>> judged_by({"metrics": {"test_accuracy": 0.4, "test_perplexity": 5.0}})
    'test_share'
    """
    return "test_share" if "test_perplexity" in record["metrics"] else "test_accuracy"


def of(records, condition):
    """The records of a condition.

    >>> len(of([{"config": {"condition": "base"}}], "untrained"))
    0
    """
    return [r for r in records if r["config"]["condition"] == condition]
