"""Hugging Face's architectures as the target and as the guide: read and led aright, or refused with a reason.

The judge is tested as well: it must be able to find each thing that it looks for.
"""

import pytest
import torch
from torch import nn
from zoo import KINDS, ROWS, WHY, N, ids
from zoo_judge import (
    ROLES,
    STILL,
    Plain,
    Stream,
    changes,
    draws,
    examine,
    judge,
    misread,
    moves_alone,
    refusal,
    right_readings,
    trace,
)

import guidelib as gl

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def zoo_is_installed():
    pytest.importorskip("transformers", reason=WHY)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ROWS)
def test_an_architecture(name, role):
    verdict = judge(ROWS[name], role)
    assert verdict.word in ("right", "refused"), str(verdict)


def test_there_are_many_architectures_of_every_kind():
    assert len(ROWS) >= 34
    assert {row.kind for row in ROWS.values()} == set(KINDS)


def test_a_row_is_the_same_for_the_same_seed():
    row = ROWS["BERT"]
    (net, sample), (again, same), (_, other) = row.build(), row.build(), row.build(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert torch.equal(sample["input_ids"], same["input_ids"])
    assert not torch.equal(sample["input_ids"][0], other["input_ids"][0])


# What the judge must find


def test_the_judge_finds_a_loss_and_a_gradient_that_are_slightly_off():
    why = judge(ROWS["BERT"], "target", weight=1.002).why
    assert "loss is" in why
    assert "gradient is off by 0.002" in why
    assert judge(ROWS["BERT"], "target", weight=1.00001).word == "right"  # within the tolerance


class Places(nn.Module):
    """Embeds n texts, as many as they are long, with the places first inside."""

    def __init__(self):
        super().__init__()
        self.embed, self.inner, self.head = nn.Embedding(50, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, input_ids):
        return self.head(self.inner(self.embed(input_ids).movedim(1, 0)).mean(0))


def texts():
    """Two samples, unlike in example 0 alone."""
    one, two = ({"input_ids": ids(torch.Generator().manual_seed(seed), N)} for seed in (0, 1))
    return one, {"input_ids": torch.cat([two["input_ids"][:1], one["input_ids"][1:]])}


def test_the_judge_knows_the_examples_from_places_of_the_same_number():
    net, (sample, other) = Places().eval(), texts()
    assert right_readings(net, sample, other, ["inner", "head"]) == {"inner": (1, (), 1), "head": (0, (), 0)}
    with torch.no_grad():
        x, y = (net.inner(net.embed(each["input_ids"]).movedim(1, 0)) for each in (sample, other))
    assert moves_alone(x.movedim(1, 0), y.movedim(1, 0))
    assert not moves_alone(x, y)
    assert not moves_alone(x.movedim(1, 0), x.movedim(1, 0))


def test_the_judge_finds_a_layer_read_along_its_places(monkeypatch):
    net, (sample, other) = Places(), texts()
    monkeypatch.setattr("zoo_judge.capture", lambda net, sample: {
        "inner": net.inner(net.embed(sample["input_ids"]).movedim(1, 0))})
    assert misread(net, sample, other, ["inner"]) == ["inner"]
    monkeypatch.setattr("zoo_judge.capture", lambda net, sample: {
        "inner": net.inner(net.embed(sample["input_ids"]))})
    assert misread(net, sample, other, ["inner"]) == []


class Constant(nn.Module):
    """One layer sees the number of the examples alone, as learned queries do, and one not even that."""

    def __init__(self):
        super().__init__()
        self.query, self.place, self.inner, self.head = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, input_ids):
        x = self.query(torch.ones(len(input_ids), 8)) + self.place(torch.ones(3, 8)).sum(0)
        return self.head(self.inner(x * input_ids[:, :8]))


def test_the_judge_knows_what_does_not_depend_on_the_examples():
    net, (sample, other) = Constant(), texts()
    found = right_readings(net, sample, other, ["query", "place", "inner"])
    assert found == {"query": STILL, "place": STILL, "inner": (0, (), 0)}


class Untidy(nn.Module):
    """Draws, counts and hooks on whenever it runs."""

    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(N, 8), nn.Linear(8, 3)
        self.register_buffer("count", torch.zeros(()))

    def forward(self, input_ids):
        self.count = self.count + 1
        self.head.register_forward_hook(lambda *given: None)
        return self.head(self.inner(input_ids.float()) + torch.rand(()))


def test_the_judge_finds_what_is_left_behind():
    net, (sample, other) = Untidy(), texts()
    assert draws(net, sample)
    assert not draws(Places(), sample)
    before = trace(net)
    net(**sample).sum().backward()
    net.head.train(False)
    assert changes("guide", before, trace(net)) == [
        f"{what} of the guide changed" for what in ("hooks", "flags", "gradients", "buffers")]
    problems = examine(net, sample, other, "guide", [], {})
    assert "hooks of the guide changed" in problems
    with Stream("loss()", problems):
        torch.rand(1)
    assert problems[-1] == "loss() drew from the global random stream"


def test_a_refusal_tells_the_repair_and_all_else_is_a_crash():
    def error_of(action):
        with pytest.raises(Exception) as caught:
            action()
        return refusal(caught.value)[0]

    net = Plain(texts()[0])
    assert error_of(lambda: gl.guide(net, net)) == "refused"
    assert error_of(lambda: gl.guide(net, Places(), match="nothing of the kind")) == "unclear refusal"
    assert error_of(lambda: net(input_ids=None)) == "crash"
