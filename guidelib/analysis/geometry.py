"""How much of the inputs' own geometry is left in a layer."""

import pandas as pd
import torch.nn.functional as F

from ..guidance import capture
from ..similarity import cka


def input_geometry(model, sample):
    """Table (layer, cka): CKA of each default layer of a network with its inputs, run as in eval.

    1 where a layer has the inputs' Gram matrix, and near 0 where it has forgotten which example is like
    which. sample: the inputs, a tensor (n, ...); integers (tokens) count as one-hot.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 1))
    >>> _ = torch.nn.init.eye_(net[0].weight)
    >>> table = input_geometry(net, torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]]))
    >>> table["layer"].tolist(), table["cka"].round(4).tolist()[0]
    (['0', '1'], 1.0)
    """
    x = sample if sample.is_floating_point() else F.one_hot(sample - sample.min()).float()
    found = {name: float(cka(h, x)) for name, h in capture(model, sample).items()}
    return pd.DataFrame({"layer": list(found), "cka": list(found.values())})
