"""Token ids of sequences (n, t) and their padding, as every sequence network reads them."""

import torch


def check_pad(pad, vocab):
    """Raise a ValueError for a padding that is no token: it has a row in the embedding, so vocab counts it.

    >>> check_pad(4, 4)
    Traceback (most recent call last):
    ValueError: pad is None or an id from 0 to 3 (vocab=4, padding included), received 4
    """
    if pad is not None and pad not in range(vocab):
        raise ValueError(f"pad is None or an id from 0 to {vocab - 1} (vocab={vocab}, padding included), "
                         f"received {pad!r}")


def embedded(embedding, ids):
    """Embeddings (n, t, p) of token ids (n, t), or a ValueError that says what was received instead.

    >>> embedded(torch.nn.Embedding(4, 2), torch.tensor([[1, 4]]))
    Traceback (most recent call last):
    ValueError: token ids lie from 0 to 3, received 1 to 4: vocab counts all tokens, padding included
    """
    if ids.ndim != 2 or ids.shape[1] == 0 or ids.dtype not in (torch.int64, torch.int32):
        raise ValueError("token ids are int64 or int32 (n, t) with t of at least 1, "
                         f"received {ids.dtype} {tuple(ids.shape)}")
    try:
        return embedding(ids)
    # On the CPU. A GPU stops with an assertion of its own, and asking it first would cost each step a wait.
    except IndexError as error:
        raise ValueError(f"token ids lie from 0 to {embedding.num_embeddings - 1}, "
                         f"received {int(ids.min())} to {int(ids.max())}: "
                         "vocab counts all tokens, padding included") from error


def kept(ids, pad):
    """Which tokens (n, t) are not padding; None if nothing is.

    >>> kept(torch.tensor([[1, 2, 0]]), pad=0)
    tensor([[ True,  True, False]])
    """
    return None if pad is None else ids != pad


def last(x, kept):
    """Features (n, p) at each sequence's last token that is kept, of x (n, t, p); the first where none is.

    >>> last(torch.tensor([[[1.], [2.], [3.]]]), torch.tensor([[True, True, False]]))
    tensor([[2.]])
    """
    if kept is None:
        return x[:, -1]
    n, t, _ = x.shape
    places = torch.arange(t, device=x.device)
    index = (kept * places).amax(1)  # (n,)
    return x[torch.arange(n, device=x.device), index]


def mean(x, kept):
    """Mean features (n, p) over each sequence's tokens that are kept, of x (n, t, p); 0 where none is.

    >>> mean(torch.tensor([[[1.], [2.], [6.]]]), torch.tensor([[True, True, False]]))
    tensor([[1.5000]])
    """
    if kept is None:
        return x.mean(1)
    kept = kept.unsqueeze(2)  # (n, t, 1)
    return (x * kept).sum(1) / kept.sum(1).clamp(min=1)
