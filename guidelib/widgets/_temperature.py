"""What a teacher's outputs ask for at each temperature of distillation, class by class, for one image."""

import torch
import torch.nn.functional as F

from ..figures import DASHED, PALETTE
from ._explorer import Explorer

TEMPERATURES = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]


def temperature(logits, teachers):
    """Softened shares of a teacher, and the gradient of T² times the divergence beside its limit.

    The shares are softmax(z / T), the divergence is KL(teacher || target), and the pull on a logit is minus
    the gradient, drawn in units in which the largest of the limit is 1.

    logits: of the target, for one image, (classes,); teachers: {name: logits (classes,)} for the same image.
    The limit, at a high temperature, is the difference of the centred logits, over the number of classes.
    """
    logits = logits.detach().double()
    teachers = {name: t.detach().double() for name, t in teachers.items()}
    found = {(name, T): softened(logits, t, T) for name, t in teachers.items() for T in TEMPERATURES}
    limits = {name: limit(logits, t) for name, t in teachers.items()}
    classes = list(range(len(logits)))
    widest = max((g.abs().max() / limits[name].abs().max()).item() for (name, _), (_, g) in found.items())
    widest = max(widest, 1.0)

    def draw(panels):
        shares, pull = panels
        bars = shares.bar(classes, [0.0] * len(classes), color=PALETTE["distilled"])
        shares.axhline(1 / len(classes), **DASHED)
        shares.set(title="shares of the teacher", xlabel="class (equal shares: dashed)",
                   ylim=(0, 1.02), xticks=classes)
        pull.axhline(0, color="#888888", linewidth=0.8)
        (at_limit,) = pull.plot([], [], "_", color="black", markersize=16, label="at a high T")
        (now,) = pull.plot([], [], "o", color=PALETTE["distilled"], label="at this T")
        pull.set(title="pull on the target's logits", xlabel="class",
                 xlim=(-0.6, len(classes) - 0.4), ylim=(-1.1 * widest, 1.6 * widest), xticks=classes)
        pull.legend(loc="upper right", fontsize="small", ncols=2)

        def move(teacher, T):
            share, gradient = found[teacher, T]
            for bar, height in zip(bars, share.tolist(), strict=True):
                bar.set_height(height)
            largest = limits[teacher].abs().max()
            for line, values in ((at_limit, limits[teacher]), (now, gradient)):
                line.set_data(classes, (-values / largest).tolist())  # a step goes against the gradient
            entropy = -torch.special.xlogy(share, share).sum().item()
            most = torch.tensor(float(len(classes))).log().item()
            apart = ((gradient - limits[teacher]).norm() / limits[teacher].norm()).item()
            return (f"{teacher}, T = {T:g}: {share.max().item():.0%} on class {int(share.argmax())}; entropy "
                    f"{entropy:.2f} nats, of equal shares {most:.2f}. The pull differs from its limit by "
                    f"{apart:.0%} of the limit's length; the largest of the limit is drawn as 1.")

        return [*bars, at_limit, now], move

    names = list(teachers)
    return Explorer(
        draw, controls={"teacher": ("teacher", names), "T": ("temperature T", TEMPERATURES)}, panels=2,
        begin={"T": 2.0}, frames=[{"T": 1.0}, {"T": 16.0}, {"teacher": names[-1]}],
        alt="A teacher's softened answer by class, and the pull on the target's logits beside its limit.")


def softened(logits, teacher, T):
    """(the teacher's shares, the gradient of T² KL(teacher || target) for the logits), (classes,) each."""
    ours, theirs = (F.softmax(z / T, dim=0) for z in (logits, teacher))
    return theirs, T * (ours - theirs)


def limit(logits, teacher):
    apart = logits - teacher
    return (apart - apart.mean()) / len(apart)
