"""What a linear decoder reads off each layer (paper, appendix I.3): is the answer there before training?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ..bars import bar
from ..guidance import capture
from ..guidance.activations import selected

METHODS = ("ridge", "logistic")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Accuracy of a linear decoder on held-out examples.

    chance: that of always guessing the label most frequent in training.
    """

    accuracy: float
    chance: float
    penalty: float
    features: int
    n_train: int
    n_test: int


def linear_probe(features, labels, test_features, test_labels, *, method="ridge", penalty=None):
    """How well a linear decoder fitted on features (n, ...) and labels (n,) classifies test_features.

    test_features: (m, ...). Returns a Probe. Every feature is brought to mean 0 and deviation 1 by the
    training examples alone; one that does not vary there becomes 0. method: "ridge", least squares on +-1
    codes of the classes, which is quick with many features, or "logistic", multinomial regression. penalty:
    the weight of the squared coefficients, beside the sum of losses over examples; None chooses it for ridge
    among 10^-2 to 10^6 by leave-one-out on the training examples, and is 1 for logistic. Nothing is random.
    ValueError for labels that are not (n,), one class, or features that are not finite. scikit-learn's
    RidgeClassifier, RidgeClassifierCV and LogisticRegression.

    >>> x, y = torch.tensor([[0.0], [1.0], [10.0], [11.0]]), torch.tensor([0, 0, 1, 1])
    >>> linear_probe(x, y, x + 0.5, y).accuracy
    1.0
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if method not in METHODS:
        raise ValueError(f"method is one of {METHODS}, received {method!r}")
    if penalty is not None and not penalty > 0:
        raise ValueError(f"penalty is above 0, or None, received {penalty!r}")
    x, y = _split(features, labels, "features")
    test_x, test_y = _split(test_features, test_labels, "test_features")
    if x.shape[1] != test_x.shape[1]:
        raise ValueError(f"both splits have the same features, received {x.shape} and {test_x.shape}")
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        raise ValueError("a decoder needs two classes or more among the training labels, "
                         f"received only {classes.tolist()}")
    decoder = make_pipeline(StandardScaler(), _classifier(method, penalty)).fit(x, y)
    right = decoder.predict(test_x) == test_y
    guessed = test_y == classes[counts.argmax()]
    chosen = getattr(decoder[-1], "alpha_", penalty or 1.0)
    return Probe(accuracy=float(right.mean()), chance=float(guessed.mean()), penalty=float(chosen),
                 features=x.shape[1], n_train=len(y), n_test=len(test_y))


def probe_layers(model, task, *, train=4000, test=1000, method="ridge", penalty=None, layers=None,
                 batch_size=256, progress=False):
    """Table of linear_probe, one row a layer: layer, features, accuracy, chance, penalty, n_train, n_test.

    The first row is the raw input. model is run as in eval and left as found: BatchNorm uses its running
    statistics, 0 and 1 in an untrained network, so that it does nothing there, unlike in training. The logits
    count as a layer. Fitted on the first `train` examples of task.train (the paper took 4,000), tested on the
    first `test` of task.test (1,000), all of them where there are fewer. layers: module names, None for the
    default layers. One layer's activations are held at a time, so the network runs once a layer. What a layer
    has above the input is what its nonlinearity unfolded; a deep random network that falls below the input
    has lost information that a linear decoder could use. ValueError for a layer that does not exist or did
    not run, or a task whose labels are not (n,). progress: show a bar.

    >>> from guidelib.tasks import digits
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    >>> probe_layers(net, digits(train=200))["layer"].tolist()
    ['input', '1', '3']
    """
    x, y = (part[:train] for part in task.train)
    test_x, test_y = (part[:test] for part in task.test)
    modules = dict(model.named_modules())
    unknown = [name for name in layers or () if name not in modules]
    if unknown:
        raise ValueError(f"no layers {unknown}: choose from {[name for name in modules if name]}")
    options = {"method": method, "penalty": penalty}
    rows = []
    if x.is_floating_point():  # tokens are no features
        rows.append(_row("input", linear_probe(x, y, test_x, test_y, **options)))
    names = list(selected(model)) if layers is None else layers
    for name in bar(names, progress, desc="decoders", unit="layer"):
        train_side = _activations(model, name, modules[name], x, batch_size)
        test_side = _activations(model, name, modules[name], test_x, batch_size)
        if layers is not None and not train_side:
            raise ValueError(f"layer {name!r} gave no activations (n, ...): "
                             "gl.layers(model, sample) says why")
        for call, features in train_side.items():
            rows.append(_row(call, linear_probe(features, y, test_side[call], test_y, **options)))
    return pd.DataFrame(rows)


def _activations(model, name, module, x, batch_size):
    """{name of the call: activations (n, ...)} of one layer, on the CPU, by its calls within a forward."""
    device = next((p.device for p in model.parameters()), x.device)
    parts = [capture(model, part.to(device), modules={name: module}) for part in x.split(batch_size)]
    return {call: torch.cat([part[call].cpu() for part in parts]) for call in parts[0]}


def _row(layer, probe):
    return {"layer": layer, "features": probe.features, "accuracy": probe.accuracy, "chance": probe.chance,
            "penalty": probe.penalty, "n_train": probe.n_train, "n_test": probe.n_test}


def _split(features, labels, name):
    """(x (n, p) float64, y (n,)) as numpy arrays."""
    x, y = (torch.as_tensor(a).detach().cpu() for a in (features, labels))
    if y.ndim != 1 or x.ndim < 1 or len(x) != len(y) or not len(y):
        raise ValueError(f"{name} are (n, ...) and their labels (n,), one class an example; "
                         f"received {tuple(x.shape)} and {tuple(y.shape)}")
    x = x.double().flatten(1) if x.ndim > 1 else x.double()[:, None]
    bad = int((~torch.isfinite(x)).sum())
    if bad:
        raise ValueError(f"{name} {tuple(x.shape)} hold {bad} values that are not finite: "
                         "nothing can be fitted to them")
    return x.numpy(), y.numpy()


def _classifier(method, penalty):
    from sklearn.linear_model import LogisticRegression, RidgeClassifier, RidgeClassifierCV

    if method == "logistic":
        return LogisticRegression(C=0.5 / (penalty or 1.0), max_iter=2000)  # it weighs half the square
    if penalty is None:
        return RidgeClassifierCV(alphas=np.logspace(-2, 6, 9))
    return RidgeClassifier(alpha=penalty)
