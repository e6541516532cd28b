"""How the size of a gradient changes with depth."""

import torch


def gradient_norms(model, loss):
    """Table (layer, gradient_norm): Euclidean norm of the loss's gradient for the weights of each module that owns any.

    A weight shared by several modules counts in each. The gradients in `.grad` are not touched, and the loss
    can still go backward. NaN for a module that the loss does not reach or that is frozen. Columns in the
    order of the modules.

    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> gradient_norms(net, net(torch.tensor([[3.0]])).sum())["gradient_norm"].tolist()
    [3.0]
    """
    import pandas as pd

    owners = {name: list(m.parameters(recurse=False)) for name, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}
    learnt = [p for p in model.parameters() if p.requires_grad]
    found = torch.autograd.grad(loss, learnt, retain_graph=True, allow_unused=True) if learnt else ()
    grads = dict(zip(learnt, found, strict=True))
    rows = []
    for name, parameters in owners.items():
        norms = [grads[p].norm() for p in parameters if grads.get(p) is not None]
        rows.append({"layer": name, "gradient_norm": torch.stack(norms).norm().item() if norms else float("nan")})
    return pd.DataFrame(rows, columns=["layer", "gradient_norm"])
