"""The whole method on one page, the plain way, to be read aloud; torch alone.

A target is trained on its task, and on how unlike its layers are to those of a guide that stays as it is
(Subramaniam et al. 2025, section 3). The other files of this folder make this page safe for any network, and
fast; a test holds both equal.
"""

import torch


def train_step(target, guide, x, y, *, task_loss, optimizer, weight=1.0):
    """One step on data: the task's loss, plus the misalignment."""
    logits, misalignment = guided(target, guide, x)
    loss = task_loss(logits, y) + weight * misalignment
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def warm_up_step(target, guide, noise, *, optimizer):
    """One step of a warm-up: the misalignment alone, on noise, before any task."""
    return train_step(target, guide, noise, None, task_loss=lambda logits, y: 0.0, optimizer=optimizer)


def guided(target, guide, x):
    """(logits, sum over layer pairs of 1 - CKA) of one batch: one forward of each network."""
    logits, own = outputs(target, x)
    guide.eval()
    with torch.no_grad():
        _, others = outputs(guide, x)
    return logits, sum(1 - cka(own[i], others[j]) for i, j in pairs(len(own), len(others)))


def outputs(net, x):
    """(output, list of its layers' outputs but the last) of one forward, by hooks."""
    kept = []
    keep = lambda layer, args, output: kept.append(output)
    hooks = [layer.register_forward_hook(keep) for layer in layers(net)]
    y = net(x)
    for hook in hooks:
        hook.remove()
    return y, kept[:-1]  # the last layer holds the logits, and those belong to the task


def layers(net):
    """Modules without parts of their own that have a matrix of weights, or pool adaptively as in ResNets."""
    leaves = [module for module in net.modules() if not list(module.children())]
    pools = [leaf for leaf in leaves if isinstance(leaf, torch.nn.AdaptiveAvgPool2d)]
    return [leaf for leaf in leaves if leaf in pools or any(p.ndim > 1 for p in leaf.parameters())]


def pairs(depth, guide_depth):
    """[(layer of the target, layer of the guide)]: the guide's layers, spread evenly over the target's."""
    step = (depth - 1) / max(guide_depth - 1, 1)
    return [(round(j * step), j) for j in range(guide_depth)]


def cka(x, y):
    """Centred kernel alignment of x (n, p), y (n, q): the cosine between their Gram matrices, 1 if alike."""
    k, l = gram(x), gram(y)
    return (k * l).sum() / (k.norm() * l.norm())


def gram(x):
    """Which examples resemble which: inner products of their centred features, (n, n)."""
    x = x.flatten(1)  # (n, p)
    x = x - x.mean(0)
    return x @ x.T
