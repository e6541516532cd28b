"""The training loop: one function, read top to bottom.

Guidance is one more term of its loss, distillation another loss.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import torch

from ..bars import bar
from ..streams import drawing_from
from .checkpoints import Checkpoint

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
SCHEDULES = (None, "cosine", "step")
DIVERGED = 1e4  # times the chance loss
EVALUATED = 5000  # training examples that are looked at after an epoch, at most
ANSWERS = "answers"  # in the row of the epoch of lowest validation loss so far


@dataclass(frozen=True)
class History:
    """What a training run left: `table`, one row an epoch, and `status`, "ok" or "diverged".

    answers: what the target says of each test example at the epoch of lowest validation loss, int64 (n,): a
    class, or for a sequence 1 if all of it is right, else 0.
    """

    table: object
    status: str
    answers: object = None


def train(target, task, *, epochs, batch_size=128, lr=1e-3, weight_decay=0.0, optimizer="adam",
          schedule=None, clip=None, guidance=None, distillation=None, order_seed=0, dropout_seed=0,
          checkpoint=None, on_epoch=None, progress=False):
    """Train a target on a Task, in place; returns its History.

    The loss is the task's, in nats, plus guidance.loss() if given. guidance: a handle of gl.guide on this
    target. distillation: a callable(logits, x, y) that takes the place of the task's loss. schedule: None,
    "cosine" to 0 at the last step, or "step", a tenth every 30 epochs as in the released code. clip: the
    largest norm of the whole gradient, or None. order_seed draws the batches, dropout_seed the dropout; the
    caller's global stream is left alone. checkpoint: a Checkpoint, from which a run that died is resumed, on
    a CPU to the last bit. on_epoch: a callable(epoch, epochs), told after each epoch. progress: show a bar.

    Columns of the table: epoch; loss and misalignment, the task's and the mean over pairs, as they were while
    the epoch was trained; then train_, validation_ and test_loss and _accuracy after it, in eval mode, for
    training of its first 5,000 examples. A loss that is not finite, or beyond 10,000 times chance, ends the
    run with status "diverged" and the epochs so far.

    >>> import guidelib as gl
    >>> task = gl.tasks.digits(train=200)
    >>> net = gl.networks.FCN(inputs=64, outputs=10, depth=1, width=64)
    >>> history = train(net, task, epochs=5, batch_size=50)
    >>> history.status, bool(history.table["test_accuracy"].iloc[-1] > 0.5)
    ('ok', True)
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer is one of {sorted(OPTIMIZERS)}, received {optimizer!r}")
    device = next(target.parameters()).device
    task = task.to(device)
    stepper = make_optimizer(target, optimizer, lr, weight_decay)
    order = torch.Generator().manual_seed(order_seed)
    steps = epochs * task.steps(batch_size)
    rate = make_schedule(stepper, schedule, steps, epochs)
    parts = {"target": target, "optimizer": stepper, "schedule": rate, "guidance": guidance, "order": order}
    checkpoint = checkpoint or Checkpoint()
    status = "ok"

    with drawing_from(dropout_seed, target):
        rows = checkpoint.restore(parts, sample=task.train[0][:batch_size])
        for epoch in bar(range(len(rows) + 1, epochs + 1), progress, desc="training", unit="epoch"):
            target.train()
            total = torch.zeros(4, device=device)  # loss, scored labels; misalignment, labels of guided steps
            for x, y in task.batches("train", batch_size, order):
                stepper.zero_grad(set_to_none=True)
                guided = guidance is not None and not guidance.stopped
                logits = target(x)  # (n, classes), or (n, t, classes)
                task_loss = task.loss(logits, y) if distillation is None else distillation(logits, x, y)
                loss = task_loss if guidance is None else task_loss + guidance.loss()
                loss.backward()
                if clip is not None:
                    torch.nn.utils.clip_grad_norm_(target.parameters(), clip)
                stepper.step()
                rate.step()
                _, scored = task.hits(logits.detach(), y)
                total[:2] += torch.stack([task_loss.detach() * scored, scored])
                if guided and guidance.misalignment is not None:
                    total[2:] += torch.stack([guidance.misalignment.mean().to(device) * scored, scored])
            loss, misalignment = (total[::2] / total[1::2]).tolist()
            row = {"epoch": epoch, "loss": loss, "misalignment": misalignment}
            for split, most in (("train", EVALUATED), ("validation", None), ("test", None)):
                found = examine(target, task, split, most=most)
                row[f"{split}_loss"], row[f"{split}_accuracy"], answers = found
            rows.append(row)
            lowest = min(rows, key=validation_loss)
            if lowest is row:
                for earlier in rows:
                    earlier.pop(ANSWERS, None)
                row[ANSWERS] = answers
            if on_epoch is not None:
                on_epoch(epoch, epochs)
            limit = DIVERGED * task.chance_loss
            if not (abs(row["loss"]) < limit and abs(row["validation_loss"]) < limit):  # NaN too
                status = "diverged"
                break
            checkpoint.save(parts, rows, device=device)
    table = pd.DataFrame([{name: v for name, v in r.items() if name != ANSWERS} for r in rows])
    return History(table, status, next((r[ANSWERS] for r in rows if ANSWERS in r), None))


def validation_loss(row):
    """That of an epoch, by which the best one is chosen; infinite if it is not a number."""
    return math.inf if math.isnan(row["validation_loss"]) else row["validation_loss"]


def evaluate(target, task, split, *, batch_size=1024):
    """(mean loss in nats, accuracy) over the scored labels of a split, in eval mode, undone afterwards."""
    loss, accuracy, _ = examine(target, task, split, batch_size=batch_size)
    return loss, accuracy


def examine(target, task, split, *, batch_size=1024, most=None):
    """evaluate(), of the first `most` examples if it is given, and the answers of a History."""
    loss = correct = n = 0
    answers = []
    with in_eval(target), torch.no_grad():
        for x, y in task.batches(split, batch_size, most=most):
            logits = target(x)
            right, scored = map(int, task.hits(logits, y))
            loss += task.loss(logits, y).item() * scored
            correct += right
            n += scored
            answers.append(task.answers(logits, y))
    return loss / n, correct / n, torch.cat(answers).cpu()


@contextmanager
def in_eval(net):
    """Within, a network is in eval mode; afterwards each module is in its own again."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def make_optimizer(target, name, lr, weight_decay):
    """The optimiser by name; Adam fused where the device can, which a deep net of small layers notices."""
    options = {"lr": lr, "weight_decay": weight_decay}
    if name == "sgd":
        options["momentum"] = 0.9
    elif next(target.parameters()).device.type in ("cpu", "cuda"):
        options["fused"] = True
    return OPTIMIZERS[name](target.parameters(), **options)


def make_schedule(optimizer, name, steps, epochs):
    """The learning rate's schedule by name, stepped once a batch."""
    if name is None:
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if name == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(steps, 1))
    if name == "step":
        step_size = max(30 * steps // max(epochs, 1), 1)
        return torch.optim.lr_scheduler.StepLR(optimizer, step_size=step_size, gamma=0.1)
    raise ValueError(f"schedule is None, 'cosine' or 'step', received {name!r}")
