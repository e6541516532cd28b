"""The numbers of a run that claims are about: their names, whether more is better, where each is read."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A number of a run.

    higher: whether more of it is better. percent: a share, told in per cent. margin: the smallest difference
    that counts, fixed before any run, or None. of_the_whole: it says how good a trained net is on the whole,
    so that two architectures may be compared by it. bounded: it lies between 0 and 1. digits: decimals of
    what is no share.
    """

    words: str
    higher: bool = True
    percent: bool = True
    margin: float | None = 0.03
    of_the_whole: bool = False
    bounded: bool = False
    digits: int = 3


METRICS = {
    "test_accuracy": Metric("test accuracy", of_the_whole=True, bounded=True),
    "test_accuracy_last": Metric("test accuracy after the last epoch"),
    "test_perplexity": Metric("test perplexity", higher=False, percent=False, margin=None, of_the_whole=True,
                              digits=2),
    "test_share": Metric("share of the way from chance to the floor", margin=0.05, of_the_whole=True),
    "gap_last": Metric("training minus validation accuracy after the last epoch", higher=False),
    "train_accuracy_last": Metric("training accuracy after the last epoch", bounded=True),
    "train_loss": Metric("training loss after the last epoch", higher=False, percent=False, margin=None),
    "misalignment": Metric("misalignment at the end", higher=False, percent=False, margin=0.05),
    "gradient_ratio": Metric("gradient norm of the first hidden layer over that of the last, before training",
                             higher=False, percent=False, margin=None, digits=2),
}


def value(record, metric):
    """A metric of a record, or the end of its training curve of that name; None without, or if not finite.

    test_share, made from the losses: how far a run has gone from a blind guess, 0, to the best possible
    loss, 1. misalignment: the mean over pairs at the last look, on held-out examples in eval mode.

    >>> curves = {"training": {"train_loss": [2.0, 0.5]}}
    >>> value({"metrics": {"gap_last": 0.1}, "curves": curves}, "train_loss")
    0.5
    >>> losses = {"test_loss": 2.0, "chance_loss": 3.0, "floor_loss": 1.0}
    >>> value({"metrics": losses, "curves": {}}, "test_share")
    0.5
    """
    metrics = record["metrics"]
    found = metrics.get(metric)
    if metric == "test_share":
        found = _share(metrics)
    if metric == "misalignment":
        looks = record["curves"].get("probe", {}).get("misalignment")
        found = math.fsum(looks[-1]) / len(looks[-1]) if looks and looks[-1] else None
    if metric == "gradient_ratio":
        found = _ratio(record["curves"].get("probe"))
    if found is None:
        curve = record.get("curves", {}).get("training", {}).get(metric)
        found = curve[-1] if curve else None
    if found is None or not math.isfinite(found):
        return None
    return float(found)


def _ratio(probe):
    """Gradient norm of the first hidden layer over that of the last, when training begins."""
    if not probe or len(probe["layers"]) < 3:
        return None
    before = probe["moments"].index("warmed up") if "warmed up" in probe["moments"] else 0
    first, *_, last, _ = probe["gradient"][before]  # the very last layer is that of the logits
    return first / last if last else None


def _share(metrics):
    loss = metrics.get("test_loss")
    chance = metrics.get("chance_loss")
    if loss is None or chance is None:
        return None
    return (chance - loss) / (chance - metrics.get("floor_loss", 0.0))


def of(records, condition):
    """The records of a condition.

    >>> len(of([{"config": {"condition": "base"}}], "untrained"))
    0
    """
    return [r for r in records if r["config"]["condition"] == condition]
