"""Distillation: the loss by hand and in its limits, and a teacher that nothing happens to."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from guidelib.baselines.distillation import Distillation, kd_loss

DIRECTIONS = ("teacher-target", "target-teacher")


@pytest.fixture
def logits():
    """Target's and teacher's logits (6, 4) and labels, in float64."""
    generator = torch.Generator().manual_seed(0)
    target, teacher = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64) * 2
    return target, teacher, torch.tensor([0, 1, 2, 3, 0, 1])


def divergence(p, q):
    """KL(p || q), mean over rows, from its definition."""
    pairs = zip(p.flatten().tolist(), q.flatten().tolist(), strict=True)
    return sum(a * math.log(a / b) for a, b in pairs) / len(p)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_loss_by_its_definition(logits, direction):
    target, teacher, y = logits
    temperature, alpha = 3.0, 0.3
    p, q = (teacher / temperature).softmax(1), (target / temperature).softmax(1)
    if direction == "target-teacher":
        p, q = q, p
    probabilities = target.softmax(1)[range(6), y].tolist()
    entropy = -sum(math.log(probability) for probability in probabilities) / 6
    expected = alpha * temperature**2 * divergence(p, q) + (1 - alpha) * entropy
    found = kd_loss(target, teacher, y, temperature=temperature, alpha=alpha, direction=direction)
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_the_directions_differ_and_are_each_others_mirror(logits):
    target, teacher, y = logits
    options = {"temperature": 1.0, "alpha": 1.0}
    there, back = (kd_loss(target, teacher, y, direction=d, **options).item() for d in DIRECTIONS)
    assert there != pytest.approx(back, rel=0.05)
    mirrored = kd_loss(teacher, target, y, direction=DIRECTIONS[1], **options)
    assert mirrored.item() == pytest.approx(there, rel=1e-12)


def test_the_default_is_hintons(logits):
    target, teacher, y = logits
    expected = kd_loss(target, teacher, y, temperature=4.0, alpha=0.5, direction="teacher-target")
    assert torch.equal(kd_loss(target, teacher, y), expected)


# Limits

@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_equal_outputs_do_not_diverge(logits, direction, shift):
    """Logits that differ by a constant are the same output."""
    target, _, y = logits
    target = target.clone().requires_grad_()
    loss = kd_loss(target, target.detach() + shift, y, alpha=1.0, direction=direction)
    loss.backward()
    assert abs(loss.item()) < 1e-13
    assert target.grad.abs().max() < 1e-13


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_divergence_is_not_negative(logits, direction):
    target, teacher, y = logits
    assert kd_loss(target, teacher, y, alpha=1.0, direction=direction) > 0.1


def test_alpha_0_is_cross_entropy(logits):
    target, teacher, y = logits
    assert torch.equal(kd_loss(target, teacher, y, alpha=0.0), F.cross_entropy(target, y))


def test_alpha_1_does_not_see_the_labels(logits):
    target, teacher, y = logits
    assert torch.equal(kd_loss(target, teacher, y, alpha=1.0), kd_loss(target, teacher, y.flip(0), alpha=1.0))


def gradient(target, teacher, y, **options):
    target = target.clone().requires_grad_()
    return torch.autograd.grad(kd_loss(target, teacher, y, alpha=1.0, **options), target)[0]


def test_gradient_by_closed_form(logits):
    """Hinton et al., equation 2, times T^2: T (softmax(z / T) - softmax(v / T)) / n."""
    target, teacher, y = logits
    expected = 3.0 * ((target / 3).softmax(1) - (teacher / 3).softmax(1)) / 6
    found = gradient(target, teacher, y, temperature=3.0)
    torch.testing.assert_close(found, expected, atol=1e-14, rtol=1e-12)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_high_temperature_matches_centred_logits(logits, direction):
    """Hinton et al., equation 4: the gradient tends to (z - v) / classes, each row centred, as 1 / T."""
    target, teacher, y = logits
    difference = target - teacher
    limit = (difference - difference.mean(1, keepdim=True)) / 4 / 6
    errors = []
    for temperature in (1e2, 1e4):
        found = gradient(target, teacher, y, temperature=temperature, direction=direction)
        errors.append((found - limit).abs().max().item())
    assert errors[0] < 0.05 * limit.abs().max()
    assert errors[1] == pytest.approx(errors[0] / 100, rel=0.1)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_gradient_against_finite_differences(logits, direction):
    target, teacher, y = logits
    loss = lambda z: kd_loss(z, teacher, y, temperature=2.0, alpha=0.4, direction=direction)
    assert torch.autograd.gradcheck(loss, target.clone().requires_grad_())


def test_confident_teachers_give_finite_losses():
    """Probabilities that underflow to 0 in float32."""
    z = torch.tensor([[200.0, -200.0]], requires_grad=True)
    v = torch.tensor([[-200.0, 200.0]])
    loss = kd_loss(z, v, torch.tensor([0]), temperature=1.0, alpha=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(400.0)
    assert z.grad.isfinite().all()


# What it refuses

@pytest.mark.parametrize(("options", "received"), [
    ({"temperature": 0.0}, "temperature=0.0"),
    ({"temperature": -1.0}, "temperature=-1.0"),
    ({"temperature": math.nan}, "temperature=nan"),
    ({"temperature": math.inf}, "temperature=inf"),
    ({"alpha": -0.1}, "alpha=-0.1"),
    ({"alpha": 1.5}, "alpha=1.5"),
    ({"direction": "both"}, "'both'")])
def test_options_that_make_no_sense(logits, options, received):
    with pytest.raises(ValueError, match=received):
        kd_loss(*logits, **options)
    with pytest.raises(ValueError, match=received):
        Distillation(nn.Linear(1, 1), **options)  # at once, not after the first forward


@pytest.mark.parametrize(("a", "b"), [((6, 4), (6, 5)), ((6, 4), (1, 4)), ((6, 4, 2), (6, 4, 2))])
def test_shapes_that_do_not_fit_are_repeated(a, b):
    with pytest.raises(ValueError, match=f"{a}.*{b}".replace("(", r"\(").replace(")", r"\)")):
        kd_loss(torch.zeros(a), torch.zeros(b), torch.zeros(6, dtype=torch.long))


# The teacher

class Teacher(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 4))


@pytest.fixture
def teacher():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        teacher = Teacher()
    teacher[1].running_mean.fill_(0.3)
    teacher[0].eval()  # some flags up, some down
    return teacher


def test_the_teacher_runs_as_in_eval_on_the_targets_input(teacher):
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    y = torch.arange(5) % 4
    z = torch.randn(5, 4, generator=torch.Generator().manual_seed(2))
    options = {"temperature": 2.0, "alpha": 0.7, "direction": "target-teacher"}
    found = Distillation(teacher, **options)(z, x, y)
    reference = Teacher().eval()
    reference.load_state_dict(teacher.state_dict())
    assert torch.equal(found, kd_loss(z, reference(x), y, **options))


def test_the_teacher_is_left_as_found(teacher):
    flags = [m.training for m in teacher.modules()]
    state = {name: t.clone() for name, t in teacher.state_dict().items()}
    target = nn.Linear(3, 4)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    stream = torch.get_rng_state()
    Distillation(teacher)(target(x), x, torch.zeros(5, dtype=torch.long)).backward()
    assert len(set(flags)) == 2
    assert [m.training for m in teacher.modules()] == flags
    assert all(torch.equal(t, state[name]) for name, t in teacher.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in teacher.parameters())
    assert torch.equal(torch.get_rng_state(), stream)  # its dropout drew nothing
    assert target.weight.grad.abs().sum() > 0


def test_a_target_learns_its_teachers_outputs(teacher):
    x = torch.randn(200, 3, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        target = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 4))
    loss = Distillation(teacher, alpha=1.0)
    y = torch.zeros(200, dtype=torch.long)  # labels that are of no use
    stepper = torch.optim.Adam(target.parameters(), lr=0.02)
    losses = []
    for _ in range(150):
        stepper.zero_grad()
        losses.append(loss(target(x), x, y))
        losses[-1].backward()
        stepper.step()
    assert losses[-1] < 0.02 * losses[0]


# The control of a teacher

def test_without_a_teacher_labels_are_smoothed(logits):
    """At temperature 1 torch's own smoothed cross-entropy, less the entropy of what was added."""
    target, _, y = logits
    for alpha in (0.0, 0.3, 1.0):
        found = Distillation(None, temperature=1.0, alpha=alpha)(target, torch.ones(6, 2), y)
        smoothed = F.cross_entropy(target, y, label_smoothing=alpha)
        assert found.item() == pytest.approx(smoothed.item() - alpha * math.log(4), rel=1e-12)


def test_without_a_teacher_every_class_has_one_share_at_any_temperature(logits):
    target, _, y = logits
    same = nn.Linear(2, 4, dtype=torch.float64)  # a teacher that says the same of every input and class
    nn.init.zeros_(same.weight), nn.init.zeros_(same.bias)
    x = torch.ones(6, 2, dtype=torch.float64)
    none, all_same = (Distillation(teacher, temperature=4.0, alpha=0.5) for teacher in (None, same))
    assert torch.equal(none(target, x, y), all_same(target, x, y))
    sequences = target.view(3, 2, 4), x.view(3, 2, 2), torch.tensor([[0, -100], [1, 2], [-100, 3]])
    assert torch.equal(none(*sequences), all_same(*sequences))
