"""How the size of a gradient changes with depth."""

import pandas as pd
import torch


def gradient_norms(model, loss):
    """Table (layer, gradient_norm): Euclidean norm of the loss's gradient for the weights of each module.

    A module that owns no weights has no row. A weight shared by several modules counts in each. The gradients
    in `.grad` are not touched, and the loss can still go backward. NaN for a module that the loss does not
    reach or that is frozen. Columns in the order of the modules.

    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> gradient_norms(net, net(torch.tensor([[3.0]])).sum())["gradient_norm"].tolist()
    [3.0]
    """
    grads = {}
    learnt = [p for p in model.parameters() if p.requires_grad]
    if learnt:
        found = torch.autograd.grad(loss, learnt, retain_graph=True, allow_unused=True)
        grads = dict(zip(learnt, found, strict=True))
    rows = []
    for name, module in model.named_modules():
        own = list(module.parameters(recurse=False))
        if not own:
            continue
        norms = [grads[p].norm() for p in own if grads.get(p) is not None]
        norm = torch.stack(norms).norm().item() if norms else float("nan")
        rows.append({"layer": name, "gradient_norm": norm})
    return pd.DataFrame(rows, columns=["layer", "gradient_norm"])
