"""The numbers of a run that claims are about: what each is called, whether more of it is better, and where it is read."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A number of a run.

    higher: whether more of it is better. percent: a share, told in per cent. chosen_on: the metric on
    validation by which the fair base is chosen, the highest unless chosen_higher is False. of_the_whole: it
    says how good a trained net is on the whole, so that two architectures may be compared by it. digits:
    decimals of what is no share.
    """

    words: str
    higher: bool = True
    percent: bool = True
    chosen_on: str = "validation_accuracy"
    chosen_higher: bool = True
    of_the_whole: bool = False
    digits: int = 3


METRICS = {
    "test_accuracy": Metric("test accuracy", of_the_whole=True),
    "test_accuracy_last": Metric("test accuracy after the last epoch"),
    "test_perplexity": Metric("test perplexity", higher=False, percent=False, chosen_on="validation_loss",
                              chosen_higher=False, of_the_whole=True, digits=2),
    "test_share": Metric("share of the way from chance to the floor", chosen_on="validation_loss", chosen_higher=False,
                         of_the_whole=True),
    "gap_last": Metric("training minus validation accuracy after the last epoch", higher=False),
    "train_loss": Metric("training loss in the last epoch", higher=False, percent=False),
    "misalignment": Metric("mean misalignment in the last epoch", higher=False, percent=False),
}


def value(record, metric):
    """A metric of a record, or the end of its training curve of that name; None if it has neither, or it is not finite.

    test_share, made from the losses: how far a run has gone from a blind guess, 0, to the best possible loss,
    1.

    >>> value({"metrics": {"gap_last": 0.1}, "curves": {"training": {"train_loss": [2.0, 0.5]}}}, "train_loss")
    0.5
    >>> value({"metrics": {"test_loss": 2.0, "chance_loss": 3.0, "floor_loss": 1.0}, "curves": {}}, "test_share")
    0.5
    """
    metrics = record["metrics"]
    if metric == "test_share":
        loss, chance, floor = metrics.get("test_loss"), metrics.get("chance_loss"), metrics.get("floor_loss", 0.0)
        found = None if loss is None or chance is None else (chance - loss) / (chance - floor)
    else:
        found = metrics.get(metric)
    if found is None:
        found = (record.get("curves", {}).get("training", {}).get(metric) or [None])[-1]
    return float(found) if found is not None and math.isfinite(found) else None


def of(records, condition):
    """The records of a condition.

    >>> len(of([{"config": {"condition": "base"}}], "untrained"))
    0
    """
    return [r for r in records if r["config"]["condition"] == condition]
