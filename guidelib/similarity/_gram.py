"""Gram matrices of activations, and the two projections that turn them into CKA.

n = examples, p = features. The Gram matrix K = X X^T, (n, n), holds everything a rotation of the features
leaves alone, so every similarity here begins with it. Its gradient is one matrix product, (S + S^T) X,
written below by hand: autograd would do two. The backward is made of differentiable operations, so a second
derivative is right as well.
"""

import torch

# Mean energy over variance energy of features: above it, centring the Gram matrix cancels too many digits.
OFFSET_LIMIT = 10.0


def flatten(x):
    """View activations (n, ...) as a matrix (n, p), in memory order, so that channels_last is not copied.

    The order of the features is therefore not fixed, which no similarity of Gram matrices can see.

    >>> flatten(torch.zeros(5, 3, 2, 2)).shape
    torch.Size([5, 12])
    """
    if x.ndim > 2 and not x.is_contiguous():
        axes = sorted(range(1, x.ndim), key=x.stride, reverse=True)
        x = x.permute(0, *axes)
    return x.reshape(x.shape[0], -1)  # (n, p)


def gram(x, *, centred=True):
    """Gram matrix (n, n) of activations (n, ...), in at least float32 also under autocast, features centred.

    Centring subtracts the mean of each feature (Kornblith et al. 2019, section 3). Features that do not vary
    at all give a matrix of exact zeros. Differentiable twice; the backward is one matrix product.

    >>> gram(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if not x.is_floating_point():
        raise TypeError(f"activations must be floating point, received {x.dtype}: convert with x.float()")
    if x.ndim < 1 or x.numel() == 0:
        raise ValueError("activations need at least one example and one feature, "
                         f"received shape {tuple(x.shape)}")
    return _Gram.apply(flatten(x), centred)


class _Gram(torch.autograd.Function):
    @staticmethod
    def forward(x, centred):
        with _full_precision(x):
            x = x.detach().to(_wide(x.dtype))  # (n, p)
            return _centred_product(x) if centred else _product(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.centred = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors  # (n, p)
        with _full_precision(x):
            s = grad + grad.transpose(-2, -1)  # (n, n)
            s = double_centre(s) if ctx.centred else s
            return (s @ x.to(s.dtype)).to(x.dtype), None  # (n, p)


def _product(x):
    """X X^T; on a CPU the upper corner is copied from the lower one, a quarter of the work saved."""
    n = x.shape[0]
    if x.device.type != "cpu" or n < 32:
        return x @ x.T
    half, k = n // 2, x.new_empty(n, n)
    torch.mm(x[:half], x[:half].T, out=k[:half, :half])
    torch.mm(x[half:], x.T, out=k[half:])
    k[:half, half:] = k[half:, :half].T
    return k  # (n, n)


def _centred_product(x):
    """Centre the small matrix where that is exact enough, else the features; zero if they are constant.

    The first way reads the features once. How much is cancelled is known from the result, and looking at it
    is free on a CPU; elsewhere it would make the device wait, so there the features are always centred.
    """
    if x.device.type == "cpu":
        raw = _product(x)  # (n, n)
        k = double_centre(raw)
        varying, total = k.diagonal().sum(), raw.diagonal().sum()
        if not total > (1 + OFFSET_LIMIT) * varying:  # also when NaN: let it through
            return k
    mean = x.mean(0, keepdim=True)  # (1, p)
    k = double_centre(_product(x - mean))
    # What rounding leaves of constant features is noise that a later normalisation would blow up to size one.
    rounding = (16 * torch.finfo(x.dtype).eps) ** 2 * x.shape[0] * mean.square().sum()
    return torch.where(k.diagonal().sum() <= rounding, torch.zeros_like(k), k)


def double_centre(k):
    """Subtract row and column means of Gram matrices (..., n, n): H K H, H = I - 11^T/n, without products.

    >>> double_centre(torch.eye(2))
    tensor([[ 0.5000, -0.5000],
            [-0.5000,  0.5000]])
    """
    rows, columns = k.mean(-1, keepdim=True), k.mean(-2, keepdim=True)
    return k - rows - columns + rows.mean(-2, keepdim=True)


def u_centre(k):
    """U-centre symmetric matrices (..., n, n), n > 2, as for debiased CKA (Szekely and Rizzo 2014, def. 2).

    The diagonal becomes zero, then every row and column sums to zero.

    >>> u_centre(torch.eye(4)).abs().max().item()
    0.0
    """
    n = k.shape[-1]
    off = ~torch.eye(n, dtype=torch.bool, device=k.device)
    k = k * off
    rows = k.sum(-1, keepdim=True) / (n - 2)
    total = rows.sum(-2, keepdim=True) / (n - 1)
    return (k - rows - rows.transpose(-2, -1) + total) * off


def participation_ratio(k):
    """tr(K)^2 / |K|^2 of centred Gram matrices (..., n, n): over how many dimensions n examples spread.

    0 where K is 0, else from 1 to n - 1; a covariance (p, p) gives the same. Differentiable. Gao et al. 2017.

    >>> round(participation_ratio(gram(torch.eye(4))).item(), 4)
    3.0
    """
    trace = k.diagonal(dim1=-2, dim2=-1).sum(-1)
    safe = torch.where(trace == 0, torch.ones_like(trace), trace)
    square = (k / safe[..., None, None]).square().sum((-2, -1))  # of trace one, lest squares overflow
    dead = square == 0
    return torch.where(dead, torch.zeros_like(square), 1 / torch.where(dead, torch.ones_like(square), square))


def unit(k, *, within=None):
    """Divide each matrix (..., n, n) by its Frobenius norm; one that is zero, up to rounding, stays zero.

    Rounding is judged against the norm of `within`, the matrix before the projection. NaN stays NaN.

    >>> unit(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).diagonal()
    tensor([0.6000, 0.8000])
    """
    # Scaling by the largest entry first keeps the squares of large activations from overflowing.
    scale = k.detach().abs().amax((-2, -1), keepdim=True)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    k = k / scale
    norm = torch.linalg.matrix_norm(k, keepdim=True)  # (..., 1, 1)
    dead = norm == 0
    if within is not None:
        size = torch.linalg.matrix_norm(within.detach() / scale, keepdim=True)
        dead = norm.detach() <= 32 * torch.finfo(k.dtype).eps * size
    return torch.where(dead, torch.zeros_like(k), k / torch.where(dead, torch.ones_like(norm), norm))


def _wide(dtype):
    return dtype if dtype == torch.float64 else torch.float32


def _full_precision(x):
    """Autocast would hand back a half-precision Gram matrix, whose entries are too coarse to centre."""
    kind = x.device.type if torch.amp.is_autocast_available(x.device.type) else "cpu"
    return torch.autocast(device_type=kind, enabled=False)
