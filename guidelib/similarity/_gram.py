"""Gram matrices of activations, and the two projections that turn them into CKA.

n = examples, p = features. The Gram matrix K = X X^T, (n, n), holds everything a rotation of the features
leaves alone, so every similarity here begins with it. Its gradient is one matrix product, (S + S^T) X,
written below by hand: autograd would do two. The backward is made of differentiable operations, so a second
derivative is right as well.
"""

import math
from contextlib import nullcontext

import torch

# Mean energy over variance energy of features: above it, centring the Gram matrix cancels too many digits.
OFFSET_LIMIT = 10.0


def flatten(x):
    """View activations (n, ...) as a matrix (n, p), in memory order, so that channels_last is not copied.

    The order of the features is therefore not fixed, which no similarity of Gram matrices can see.

    >>> flatten(torch.zeros(5, 3, 2, 2)).shape
    torch.Size([5, 12])
    """
    return x if x.ndim == 2 else x.permute(_memory_order(x)).reshape(x.shape[0], -1)  # (n, p)


def gram(x, *, centred=True):
    """Gram matrix (n, n) of activations (n, ...), in at least float32 also under autocast, features centred.

    Centring subtracts the mean of each feature (Kornblith et al. 2019, section 3). A feature varies if an
    example differs from the first by more than four units in the last place, of its value or of the mean
    size of all; one that does not counts as zero. Differentiable twice; the backward is one matrix product.

    >>> gram(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    k, _ = _applied(_Product, _checked(x), centred, False)
    return double_centre(k) if centred else k


def scaled_gram(x, *, centred=True):
    """gram() for who sees no scale: times a power of four, and centred only where that cannot wait.

    The factor is 1 unless products of the features leave the range of their type: a plain deep net with small
    weights has layers of 1e-25. Who compares centres all matrices at once; here features are centred only if
    they vary too little for that. A gradient beyond the range of the type, or within 2^16 of its end, where
    the next layers would lose it, is left out.

    >>> scaled_gram(torch.tensor([[0.0], [1e-30]])).amax() > 0.1
    tensor(True)
    """
    if torch.is_grad_enabled() and x.requires_grad:
        return _applied(_Product, _checked(x), centred, True)[0]
    return _product(_checked(x), centred, True)[0]


def tap(x):
    """(x again, scaled_gram(x)), to take the place of x in a network: there both gradients meet.

    The one by way of the Gram matrix, as large as x, then lives no longer than the backward of x's layer.

    >>> tap(torch.eye(2))[1]
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _applied(_Tap, _checked(x))[:2]


def _applied(function, *args):
    """function.apply(*args), without its look at the signature, which takes longer than a small product."""
    if torch._C._are_functorch_transforms_active():
        return function.apply(*args)
    return super(torch.autograd.Function, function).apply(*args)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(x, centred, rescaled):
        return _product(x.detach(), centred, rescaled)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, *ctx.options = inputs
        ctx.save_for_backward(x, output[1])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, grad, _):
        return _pulled(grad, *ctx.saved_tensors, *ctx.options), None, None


class _Tap(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return x.detach(), *_product(x.detach(), True, True)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0], output[2])
        ctx.mark_non_differentiable(output[2])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx, grad, grad_k, _):
        if grad_k is None:  # this loss does not hold the layer's Gram matrix
            return grad
        return _pulled(grad_k, *ctx.saved_tensors, True, True, onto=grad)


def _product(x, centred, rescaled):
    """(K, factor): the Gram matrix of features as they are, with factor 0, or of what _prepared() makes.

    As they are they need to be read once only. Whether that is exact enough, and within the range, shows in
    the result, which is free to look at on a CPU; elsewhere the device would have to wait.
    """
    with _full_precision(x):
        x = flatten(x).to(_wide(x.dtype))  # (n, p)
        if x.device.type == "cpu":
            k = _symmetric(x)  # (n, n)
            energy, (low, high) = k.trace().item(), _RANGES[k.dtype]
            varying = energy - k.sum().item() / len(k) if centred else energy
            if low < energy < high and not energy > (1 + OFFSET_LIMIT) * varying:
                return k, _AS_IT_IS
        x, factor = _prepared(x, centred, rescaled)
        return _symmetric(x), factor


def _prepared(x, centred, rescaled):
    """(features x (n, p) less their mean, those that vary, times a power of two), and that power.

    What is constant is known from the differences to the first example, which are exact. The power of two
    brings the largest to about 1.
    """
    if not centred:
        largest, varies = x.detach().abs().amax(), 1
    else:
        x, first = x - x[:1], x[:1]
        spread = x.detach().abs().amax(0, keepdim=True)  # (1, p)
        # What rounding leaves is of the size of the terms that were summed, not of their sum.
        size = first.detach().abs()
        size = torch.maximum(size, (size / size.shape[1]).sum())
        varies = ~(spread <= 4 * torch.finfo(x.dtype).eps * size)  # also what is NaN
        largest = (spread * varies).amax()
    factor = torch.ones_like(largest)
    if rescaled:
        bound = math.log2(torch.finfo(x.dtype).max) - 1
        power = -torch.where(largest > 0, largest, factor).log2().floor().clamp(-bound, bound)
        factor = torch.where(largest.isfinite(), power.exp2(), factor)
    x = x * (factor * varies)
    return (x - x.mean(0, keepdim=True) if centred else x), factor


def _pulled(grad, x, factor, centred, rescaled, *, onto=None):
    """Gradient for x (n, ...) of its Gram matrix's gradient (n, n), added to `onto`, like x or None."""
    plain = x.device.type == "cpu" and factor == 0
    with _full_precision(x):
        if plain and x.ndim == 2 and x.dtype == grad.dtype:  # most layers, and no time is lost on them
            s = grad + grad.T
            return s @ x if onto is None else torch.addmm(onto, s, x)
        order = _memory_order(x)
        shape, back = [x.shape[i] for i in order], sorted(range(x.ndim), key=order.__getitem__)
        s = grad + grad.transpose(-2, -1)  # (n, n)
        features = flatten(x).to(s.dtype)  # (n, p)
        if plain:
            if onto is not None and onto.dtype == s.dtype:
                onto = onto.permute(order).reshape(features.shape)
                return torch.addmm(onto, s, features).view(shape).permute(back)
            pulled = s @ features
        else:
            features, _ = _prepared(features, centred, rescaled)
            pulled = (double_centre(s) if centred else s) @ features * factor
            limit = torch.finfo(s.dtype).max / 2**16
            pulled = torch.where(pulled.detach().abs().amax() > limit, torch.zeros_like(pulled), pulled)
        pulled = pulled.to(x.dtype).view(shape).permute(back)
        return pulled if onto is None else onto + pulled


def _memory_order(x):
    """The axes of x (n, ...), after the first in the order in which memory holds them."""
    if x.ndim <= 2 or x.is_contiguous():
        return tuple(range(x.ndim))
    return 0, *sorted(range(1, x.ndim), key=x.stride, reverse=True)


def _symmetric(x):
    """X X^T; on a CPU a large one has copies above the diagonal, which saves up to three eighths of it."""
    n, p = x.shape
    blocks = 1 if x.device.type != "cpu" or n < 128 or p < 1024 else 2 if n < 256 else 4
    if blocks == 1:
        return x @ x.T
    k, height = x.new_empty(n, n), -(-n // blocks)
    for low in range(0, n, height):
        high = min(low + height, n)
        torch.mm(x[low:high], x[:high].T, out=k[low:high, :high])
        k[:low, low:high] = k[low:high, :low].T
    return k  # (n, n)


def double_centre(k):
    """Subtract row and column means of Gram matrices (..., n, n): H K H, H = I - 11^T/n, without products.

    >>> double_centre(torch.eye(2))
    tensor([[ 0.5000, -0.5000],
            [-0.5000,  0.5000]])
    """
    rows, columns = k.mean(-1, keepdim=True), k.mean(-2, keepdim=True)
    return k - (rows - rows.mean(-2, keepdim=True)) - columns


def u_centre(k):
    """U-centre symmetric matrices (..., n, n), n > 2, as for debiased CKA (Székely and Rizzo 2014, def. 2).

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


def cosine(k, l, *, within=(None, None), eps=0.0):
    """Cosines (...,) of matrices (..., n, n); 0 where one of them is zero, up to rounding.

    Rounding, eps, is judged against the norm of `within`, the matrices before a projection. NaN stays NaN.

    >>> cosine(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), torch.eye(2))
    tensor(0.9899)
    """
    (k, k_norm), (l, l_norm) = (_sized(*side, eps) for side in zip((k, l), within, strict=True))
    return (k * l).sum((-2, -1)) * (k_norm * l_norm)


def _sized(k, within, eps):
    """(k over a number near its largest entry, one over the norm of that), 0 for the latter if k is dead."""
    # Scaled first, lest the squares of large entries overflow; that of a projection is its matrix's.
    whole = k if within is None else within
    scale = whole.detach().diagonal(dim1=-2, dim2=-1).amax(-1)[..., None, None]  # no entry is larger
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    k = k / scale
    norm = torch.linalg.vector_norm(k, dim=(-2, -1))  # (...,)
    size = 0
    if within is not None:  # what rounding makes of nothing: on the whole, or in each of n sums
        whole = torch.linalg.vector_norm(within.detach() / scale, dim=(-2, -1))
        size = eps * (32 * whole).clamp(min=16 * k.shape[-1])
    dead = norm.detach() <= size
    return k, torch.where(dead, torch.zeros_like(norm), 1 / torch.where(dead, torch.ones_like(norm), norm))


def _checked(x):
    """x, or a TypeError or ValueError that says what activations are."""
    if not x.is_floating_point():
        raise TypeError(f"activations must be floating point, received {x.dtype}: convert with x.float()")
    if x.ndim < 1 or x.numel() == 0:
        raise ValueError("activations need at least one example and one feature, "
                         f"received shape {tuple(x.shape)}")
    return x


def _wide(dtype):
    return dtype if dtype == torch.float64 else torch.float32


_NOTHING, _AS_IT_IS = nullcontext(), torch.zeros(())
# The squares of features whose energy is within these limits are neither lost nor infinite.
_RANGES = {t: (torch.finfo(t).tiny**0.5, torch.finfo(t).max**0.9) for t in (torch.float32, torch.float64)}


def _full_precision(x):
    """Autocast would hand back a half-precision Gram matrix, whose entries are too coarse to centre."""
    kind = x.device.type if torch.amp.is_autocast_available(x.device.type) else "cpu"
    if not torch.is_autocast_enabled(kind):
        return _NOTHING
    return torch.autocast(device_type=kind, enabled=False)
