"""How far training and validation are apart, epoch by epoch."""


def generalisation_gap(table, *, metric="accuracy"):
    """Training minus validation accuracy at each epoch; positive means overfitting.

    Of a loss it is validation minus training. table: History.table, with train_ and validation_ columns. All
    of them are taken after the epoch, in eval mode.

    >>> import pandas as pd
    >>> generalisation_gap(pd.DataFrame({"train_accuracy": [1.0], "validation_accuracy": [0.75]})).tolist()
    [0.25]
    """
    if metric not in ("accuracy", "loss"):
        raise ValueError(f"metric is 'accuracy' or 'loss', received {metric!r}")
    gap = table[f"train_{metric}"] - table[f"validation_{metric}"]
    return gap if metric == "accuracy" else -gap
