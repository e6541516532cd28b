"""Distillation of outputs (Hinton et al. 2015), a baseline of guidance: here there are teachers."""

import math

import torch
import torch.nn.functional as F

from ..guidance.frozen import frozen_forward

DIRECTIONS = ("teacher-target", "target-teacher")


def kd_loss(logits, teacher_logits, y, *, temperature=4.0, alpha=0.5, direction="teacher-target"):
    """alpha T^2 KL(teacher || target) + (1 - alpha) cross-entropy, of logits (n, classes) with labels y (n,).

    In nats, mean over n. Both distributions are softened by the temperature T. The paper uses T = 2 and
    alpha = 0.5 and writes the divergence the other way round (appendix H): direction="target-teacher".
    ValueError for a temperature that is not positive, alpha outside [0, 1] or logits whose shapes differ.

    >>> logits = torch.tensor([[2.0, 0.0]])
    >>> kd_loss(logits, logits, torch.tensor([0]), alpha=1.0)
    tensor(0.)
    """
    _check(temperature, alpha, direction)
    if logits.ndim != 2 or logits.shape != teacher_logits.shape:
        raise ValueError("target and teacher need logits of one shape (n, classes), "
                         f"received {tuple(logits.shape)} and {tuple(teacher_logits.shape)}")
    target = F.log_softmax(logits / temperature, dim=1)
    teacher = F.log_softmax(teacher_logits / temperature, dim=1)
    if direction == "teacher-target":
        divergence = F.kl_div(target, teacher, reduction="batchmean", log_target=True)
    else:
        divergence = F.kl_div(teacher, target, reduction="batchmean", log_target=True)
    return alpha * temperature**2 * divergence + (1 - alpha) * F.cross_entropy(logits, y)


class Distillation:
    """A frozen teacher as a loss: call it with the target's logits (n, classes), inputs x (n, ...), labels y.

    Of sequences, logits (n, t, classes) and labels (n, t), the places with a label of 0 or more count.

    The teacher runs on x as in eval and without gradient, whatever its own flags, and is left as found:
    flags, buffers and random streams. Options and errors are those of kd_loss.

    teacher=None is the control of a teacher: every class of every input gets the same share. At temperature 1
    that is cross-entropy with labels smoothed by alpha (Szegedy et al. 2016), but for a constant.

    >>> teacher = torch.nn.Linear(2, 3)
    >>> x, y = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
    >>> Distillation(teacher, alpha=1.0)(teacher(x), x, y).round(decimals=5).item()
    0.0
    """

    def __init__(self, teacher, *, temperature=4.0, alpha=0.5, direction="teacher-target"):
        _check(temperature, alpha, direction)
        self.teacher = teacher
        self.options = {"temperature": temperature, "alpha": alpha, "direction": direction}

    def __call__(self, logits, x, y):
        uniform = self.teacher is None
        teacher_logits = torch.zeros_like(logits) if uniform else frozen_forward(self.teacher, (x,))
        if logits.ndim > 2:  # sequences: what is not scored is not distilled
            scored = y >= 0  # (n, t)
            logits, teacher_logits, y = logits[scored], teacher_logits[scored], y[scored]
        return kd_loss(logits, teacher_logits, y, **self.options)


def _check(temperature, alpha, direction):
    if not (temperature > 0 and math.isfinite(temperature)) or not 0 <= alpha <= 1:
        raise ValueError("temperature is positive and finite, alpha in [0, 1], "
                         f"received temperature={temperature} and alpha={alpha}")
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is one of {DIRECTIONS}, received {direction!r}")
