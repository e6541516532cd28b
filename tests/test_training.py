"""The loop: same seed, same bits; its numbers are those of a loop written out here; divergence is an ending, not a crash."""

import math

import pytest
import torch
import torch.nn.functional as F

import guidelib as gl


@pytest.fixture(scope="module")
def task():
    return gl.tasks.digits(train=120, validation=60)


def net(seed=0, **options):
    return gl.networks.FCN(inputs=64, outputs=10, depth=2, width=16, seed=seed, **options)


def test_matches_a_loop_written_by_hand(task):
    history = gl.training.train(net(dropout=0.2), task, epochs=2, batch_size=50, lr=0.01, weight_decay=0.1, order_seed=5, dropout_seed=6)

    target, order = net(dropout=0.2), torch.Generator().manual_seed(5)
    optimizer = torch.optim.Adam(target.parameters(), lr=0.01, weight_decay=0.1)
    x, y = task.train
    torch.manual_seed(6)
    for epoch in range(2):
        losses, correct = [], 0
        target.train()
        for index in torch.randperm(len(y), generator=order).split(50):
            logits = target(x[index])
            loss = F.cross_entropy(logits, y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * len(index))
            correct += (logits.argmax(1) == y[index]).sum().item()
        target.eval()
        with torch.no_grad():
            logits = target(task.test[0])
        row = history.table.iloc[epoch]
        assert row["train_loss"] == pytest.approx(sum(losses) / 120, rel=1e-4)
        assert row["train_accuracy"] == pytest.approx(correct / 120)
        assert row["test_loss"] == pytest.approx(F.cross_entropy(logits, task.test[1]).item(), rel=1e-3)
        assert row["test_accuracy"] == pytest.approx((logits.argmax(1) == task.test[1]).double().mean().item(), abs=3 / 497)


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
    heard, told, untold = [], net(dropout=0.3), net(dropout=0.3)
    gl.training.train(told, task, epochs=3, on_epoch=lambda *state: heard.append(state))
    gl.training.train(untold, task, epochs=3)
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert all(torch.equal(a, b) for a, b in zip(told.state_dict().values(), untold.state_dict().values(), strict=True))


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


def test_guidance_of_weight_zero_changes_nothing(task):
    guided, plain = net(), net()
    with gl.guide(guided, gl.networks.ResNet(channels=1, width=4), weight=0.0) as handle:
        gl.training.train(guided, task, epochs=1, guidance=handle)
    gl.training.train(plain, task, epochs=1)
    assert all(torch.equal(a, b) for a, b in zip(guided.state_dict().values(), plain.state_dict().values(), strict=True))


def test_distillation_takes_the_place_of_the_loss(task):
    seen = []

    def loss(logits, x, y):
        seen.append((tuple(logits.shape), tuple(x.shape), tuple(y.shape)))
        return logits.square().mean()

    history = gl.training.train(net(), task, epochs=1, batch_size=60, distillation=loss)
    assert seen == [((60, 10), (60, 1, 8, 8), (60,))] * 2
    assert history.table["train_loss"].iloc[0] < 1  # not a cross-entropy near ln 10


@pytest.mark.parametrize("broken", [float("nan"), 1e30])
def test_a_diverged_loss_ends_the_run_with_its_epochs_kept(task, broken):
    def loss(logits, x, y):
        return logits.sum() * 0 + broken

    history = gl.training.train(net(), task, epochs=5, distillation=loss)
    assert history.status == "diverged"
    assert len(history.table) == 1


def test_schedules_end_where_they_should():
    parameter = torch.nn.Parameter(torch.zeros(1))
    def last(name, steps, epochs):
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        schedule = gl.training.make_schedule(optimizer, name, steps, epochs)
        rates = []
        for _ in range(steps):
            optimizer.step()
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        return rates
    assert set(last(None, 10, 1)) == {1.0}
    cosine = last("cosine", 10, 1)
    assert cosine[4] == pytest.approx(0.5) and cosine[-1] == pytest.approx(0.0, abs=1e-12)
    step = last("step", 120, 60)  # a tenth after 30 epochs of two steps
    assert step[58] == pytest.approx(1.0) and step[60] == pytest.approx(0.1) and step[-1] == pytest.approx(0.01)


def test_bad_names_are_repeated(task):
    with pytest.raises(ValueError, match="'lion'"):
        gl.training.train(net(), task, epochs=1, optimizer="lion")
    with pytest.raises(ValueError, match="'linear'"):
        gl.training.train(net(), task, epochs=1, schedule="linear")


def test_evaluate_restores_the_mode(task):
    target = net().train()
    loss, accuracy = gl.training.evaluate(target, task, "validation", batch_size=7)
    assert target.training
    assert loss == pytest.approx(gl.training.evaluate(target, task, "validation")[0], rel=1e-5)
    assert math.isfinite(loss) and 0 <= accuracy <= 1
