"""How much of the inputs' own geometry is left in a layer."""

import pandas as pd

from ..guidance import Call, capture
from ..guidance.frozen import as_call
from ..guidance.inputs import as_features, input_of
from ..similarity import cka


def input_geometry(model, sample, *, inputs=None):
    """Table (layer, cka): CKA of each default layer of a network with its inputs, run as in eval.

    1 where a layer has the inputs' Gram matrix, and near 0 where it has forgotten which example is like
    which. sample: the inputs, a tensor (n, ...), a tuple of arguments or a dict of keywords; integers
    (tokens) count as one-hot. inputs: which of several arguments they are, as of controls.data_gram.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.Linear(4, 1))
    >>> _ = torch.nn.init.eye_(net[0].weight)
    >>> table = input_geometry(net, torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 2]]))
    >>> table["layer"].tolist(), table["cka"].round(4).tolist()[0]
    (['0', '1'], 1.0)
    """
    x = as_features(input_of(Call(*as_call(sample)), inputs))
    found = {name: float(cka(h, x)) for name, h in capture(model, sample).items()}
    return pd.DataFrame({"layer": list(found), "cka": list(found.values())})
