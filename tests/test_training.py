"""The loop: same seed, same bits, and its numbers are those of a loop written out here.

Divergence is an ending, not a crash.
"""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import guidelib as gl
from guidelib.training import loop


@pytest.fixture(scope="module")
def task():
    return gl.tasks.digits(train=120, validation=60)


def net(seed=0, **options):
    return gl.networks.FCN(inputs=64, outputs=10, depth=2, width=16, seed=seed, **options)


def test_matches_a_loop_written_by_hand(task):
    history = gl.training.train(net(dropout=0.2), task, epochs=2, batch_size=50, lr=0.01, weight_decay=0.1,
                                order_seed=5, dropout_seed=6)

    target = net(dropout=0.2)
    order = torch.Generator().manual_seed(5)
    optimizer = torch.optim.Adam(target.parameters(), lr=0.01, weight_decay=0.1)
    x, y = task.train
    torch.manual_seed(6)
    for epoch in range(2):
        losses = []
        target.train()
        for index in torch.randperm(len(y), generator=order).split(50):
            logits = target(x[index])
            loss = F.cross_entropy(logits, y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(index))
        target.eval()
        row = history.table.iloc[epoch]
        assert row["loss"] == pytest.approx(sum(losses) / 120, rel=1e-4)
        for split, n in (("train", 120), ("validation", 60), ("test", 497)):
            inputs, labels = task.split(split)
            with torch.no_grad():
                logits = target(inputs)
            expected = F.cross_entropy(logits, labels).item()
            right = (logits.argmax(1) == labels).double().mean().item()
            assert row[f"{split}_loss"] == pytest.approx(expected, rel=1e-3)
            assert row[f"{split}_accuracy"] == pytest.approx(right, abs=3 / n)


def test_answers_are_those_of_the_epoch_of_lowest_validation_loss(task):
    """With wrong labels in validation that is an early one; another net is trained alike, no further."""
    x, y = task.validation
    misled = replace(task, validation=(x, (y + 1) % 10))
    history = gl.training.train(net(), misled, epochs=6, batch_size=30, lr=0.02)
    best = int(history.table["validation_loss"].idxmin()) + 1
    assert best < 6
    for epochs in (best, 6):
        stopped = net()
        gl.training.train(stopped, misled, epochs=epochs, batch_size=30, lr=0.02)
        stopped.eval()
        with torch.no_grad():
            expected = stopped(task.test[0]).argmax(1)
        assert torch.equal(history.answers, expected) == (epochs == best)
    right = (history.answers == task.test[1]).double().mean().item()
    assert right == pytest.approx(history.table["test_accuracy"][best - 1], abs=1e-12)


def test_without_an_epoch_there_are_no_answers(task):
    history = gl.training.train(net(), task, epochs=0)
    assert len(history.table) == 0 and history.answers is None


def test_the_answer_of_a_sequence_is_whether_all_of_it_is_right():
    sequences = gl.tasks.copy_paste(shortest=3, longest=3, train=1, validation=1, test=2)
    logits = F.one_hot(sequences.test[1].clamp(min=0), sequences.classes).float()  # (n, t, classes)
    assert sequences.answers(logits, sequences.test[1]).tolist() == [1, 1]
    logits[1, -1] = logits[1, -1].roll(1)
    assert sequences.answers(logits, sequences.test[1]).tolist() == [1, 0]


def test_no_more_training_examples_than_asked_for_are_looked_at(task, monkeypatch):
    monkeypatch.setattr("guidelib.training.loop.EVALUATED", 7)
    target = net()
    history = gl.training.train(target, task, epochs=1)
    target.eval()
    with torch.no_grad():
        logits = target(task.train[0][:7])
    expected = F.cross_entropy(logits, task.train[1][:7]).item()
    assert history.table["train_loss"].item() == pytest.approx(expected, rel=1e-5)


def same_state(a, b):
    """Whether two nets of one class agree in every parameter and buffer, to the last bit."""
    return all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


@pytest.mark.parametrize("seed", ["order_seed", "dropout_seed"])
def test_same_seeds_same_bits_and_each_seed_matters(task, seed):
    def run(**seeds):
        target = net(dropout=0.3)
        gl.training.train(target, task, epochs=1, batch_size=32, **seeds)
        return torch.cat([p.detach().flatten() for p in target.parameters()])

    assert torch.equal(run(), run())
    assert not torch.equal(run(), run(**{seed: 1}))


def test_the_callers_random_stream_is_left_alone(task):
    before = torch.get_rng_state()
    gl.training.train(net(dropout=0.3), task, epochs=1)
    assert torch.equal(before, torch.get_rng_state())


def test_every_epoch_is_told_and_changes_no_bit(task):
    heard = []
    told, untold = net(dropout=0.3), net(dropout=0.3)
    gl.training.train(told, task, epochs=3, on_epoch=lambda *state: heard.append(state))
    gl.training.train(untold, task, epochs=3)
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert same_state(told, untold)


def test_progress_is_a_line_of_text_that_stays_wherever_it_is_asked_for(task, capsys):
    gl.training.train(net(), task, epochs=3, progress=True)
    assert "3/3" in capsys.readouterr().out.splitlines()[-1]


def test_guidance_is_one_more_term_of_the_loss(task):
    guide = gl.networks.ResNet(channels=1, width=4)
    target = net()
    with gl.guide(target, guide) as handle:
        history = gl.training.train(target, task, epochs=2, batch_size=60, guidance=handle)
        assert handle.step == 4
        assert history.table["misalignment"].between(0, 1).all()
    unguided = net()
    plain = gl.training.train(unguided, task, epochs=2, batch_size=60)
    assert plain.table["misalignment"].isna().all()
    assert not torch.equal(target.blocks[0].linear.weight, unguided.blocks[0].linear.weight)


@pytest.mark.parametrize(("options", "steps"), [
    ({"stop_after": 3}, 3), ({"stop_after": 2}, 2), ({"weight": lambda step: float(step < 3)}, 3)])
def test_the_misalignment_of_an_epoch_is_the_mean_over_its_guided_steps(task, options, steps):
    target, seen = net(), []
    with gl.guide(target, gl.networks.ResNet(channels=1, width=4), **options) as handle:
        loss = handle.loss

        def noted():
            term = loss()
            if handle.misalignment is not None:
                seen.append(handle.misalignment.mean())
            return term

        handle.loss = noted
        history = gl.training.train(target, task, epochs=3, batch_size=60, guidance=handle)
    assert len(seen) == steps  # of two an epoch
    first, second, third = history.table["misalignment"]
    assert first == pytest.approx(float(sum(seen[:2]) / 2))
    assert math.isnan(third)
    if steps == 3:
        assert second == pytest.approx(float(seen[2]))
    else:
        assert math.isnan(second)


def test_each_module_is_in_its_own_mode_again_after_an_evaluation(task):
    target = net().train()
    target.blocks[0].eval()
    modes = [module.training for module in target.modules()]
    gl.training.evaluate(target, task, "validation")
    assert [module.training for module in target.modules()] == modes != [True] * len(modes)
    with pytest.raises(TypeError):
        gl.training.evaluate(target, replace(task, validation=(None, task.validation[1])), "validation")
    assert [module.training for module in target.modules()] == modes


def test_steps_are_those_that_are_taken(task, monkeypatch):
    assert [task.steps(size) for size in (60, 50, 59, 117)] == [2, 3, 2, 1]  # 59: 2 left over; 117: 3
    planned = []
    schedule = loop.make_schedule
    monkeypatch.setattr(loop, "make_schedule", lambda *args: planned.append(args[2]) or schedule(*args))
    target = net()
    with gl.guide(target, net(seed=1)) as handle:
        gl.training.train(target, task, epochs=2, batch_size=59, schedule="cosine", guidance=handle)
        assert planned == [handle.step] == [4]
    few = replace(task, train=tuple(part[:3] for part in task.train))
    with pytest.raises(ValueError, match="3 training examples in batches of 60 leave no batch of 4"):
        gl.training.train(net(), few, epochs=1, batch_size=60)


def test_guidance_of_weight_zero_changes_nothing(task):
    guided, plain = net(), net()
    with gl.guide(guided, gl.networks.ResNet(channels=1, width=4), weight=0.0) as handle:
        gl.training.train(guided, task, epochs=1, guidance=handle)
    gl.training.train(plain, task, epochs=1)
    assert same_state(guided, plain)


def test_distillation_takes_the_place_of_the_loss(task):
    seen = []

    def loss(logits, x, y):
        seen.append((tuple(logits.shape), tuple(x.shape), tuple(y.shape)))
        return logits.square().mean()

    history = gl.training.train(net(), task, epochs=1, batch_size=60, distillation=loss)
    assert seen == [((60, 10), (60, 1, 8, 8), (60,))] * 2
    assert history.table["loss"].iloc[0] < 1  # not a cross-entropy near ln 10


@pytest.mark.parametrize("broken", [float("nan"), 1e30])
def test_a_diverged_loss_ends_the_run_with_its_epochs_kept(task, broken):
    def loss(logits, x, y):
        return logits.sum() * 0 + broken

    history = gl.training.train(net(), task, epochs=5, distillation=loss)
    assert history.status == "diverged"
    assert len(history.table) == 1


def test_schedules_end_where_they_should():
    parameter = torch.nn.Parameter(torch.zeros(1))

    def rates_of(name, steps, epochs):
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        schedule = gl.training.make_schedule(optimizer, name, steps, epochs)
        rates = []
        for _ in range(steps):
            optimizer.step()
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    assert set(rates_of(None, 10, 1)) == {1.0}
    cosine = rates_of("cosine", 10, 1)
    assert cosine[4] == pytest.approx(0.5)
    assert cosine[-1] == pytest.approx(0.0, abs=1e-12)
    step = rates_of("step", 120, 60)  # a tenth after 30 epochs of two steps
    assert step[58] == pytest.approx(1.0)
    assert step[60] == pytest.approx(0.1)
    assert step[-1] == pytest.approx(0.01)


def test_bad_names_are_repeated(task):
    with pytest.raises(ValueError, match="'lion'"):
        gl.training.train(net(), task, epochs=1, optimizer="lion")
    with pytest.raises(ValueError, match="'linear'"):
        gl.training.train(net(), task, epochs=1, schedule="linear")


def test_evaluate_restores_the_mode(task):
    target = net().train()
    loss, accuracy = gl.training.evaluate(target, task, "validation", batch_size=7)
    assert target.training
    whole, _ = gl.training.evaluate(target, task, "validation")
    assert loss == pytest.approx(whole, rel=1e-5)
    assert math.isfinite(loss)
    assert 0 <= accuracy <= 1
