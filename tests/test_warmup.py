"""warm_up: alignment alone, on noise, equal to a loop written by hand, gone without a trace afterwards."""

import copy

import pytest
import torch
from models import Counted, batch, convnet, hooks, mlp

import guidelib as gl
from guidelib.guidance.noise import Stream, noise_like


def test_it_is_the_loop_one_would_write():
    ours, hand = (mlp(16, 8, 8, 3, norm=True) for _ in range(2))
    net, x = convnet(), batch()
    history = gl.warm_up(ours, net, sample=x, steps=4, lr=0.01, seed=5)
    optimizer = torch.optim.Adam(hand.parameters(), lr=0.01)
    stream = Stream(5)
    losses = []
    with gl.guide(hand, net) as g:
        for _ in range(4):
            hand(noise_like(x, stream=stream))
            loss = g.loss()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    assert history["loss"].tolist() == pytest.approx(losses, rel=1e-6)
    assert history["step"].tolist() == [0, 1, 2, 3]
    for (name, a), b in zip(ours.state_dict().items(), hand.state_dict().values(), strict=True):
        # CKA does not see a shift, so that a bias has no gradient but rounding, which Adam makes large.
        if a.ndim == 2:
            assert torch.allclose(a, b, atol=1e-4), name
    assert not torch.allclose(ours[1].weight, mlp(16, 8, 8, 3, norm=True)[1].weight)


def test_it_aligns():
    """On noise the target has not seen, alignment to the guide rises at every pair."""
    target, net = mlp(16, 32, 32, 32, 3), convnet()
    x, fresh = batch(64), batch(64, seed=123)

    def alignment():
        with gl.guide(target, net) as g:
            target(fresh)
            g.loss()
            return g.report()["cka"].to_numpy()

    before = alignment()
    history = gl.warm_up(target, net, sample=x, steps=150, lr=3e-3)
    assert (alignment() > before + 0.05).all()
    assert history["loss"].iloc[-20:].mean() < 0.8 * history["loss"].iloc[0]


def test_history_has_one_column_a_pair_that_adds_up():
    history = gl.warm_up(mlp(16, 8, 8, 3), convnet(), sample=batch(), steps=3)
    assert history.columns.tolist() == ["step", "loss", "1 <- 0", "1 <- 4", "4 <- 6"]
    assert history.iloc[:, 2:].sum(axis=1).tolist() == pytest.approx(history["loss"].tolist(), rel=1e-5)


def test_new_noise_each_step_the_same_on_both_sides():
    target, net = mlp(16, 8, 3), convnet()
    seen = []
    target.register_forward_pre_hook(lambda m, a: seen.append(("target", a[0].clone())))
    net.register_forward_pre_hook(lambda m, a: seen.append(("guide", a[0].clone())))
    x = batch(seed=1)
    gl.warm_up(target, net, sample=x, steps=2)
    assert [who for who, _ in seen] == ["target", "guide"] * 2
    a, b, c, d = (noise for _, noise in seen)
    assert torch.equal(a, b)
    assert torch.equal(c, d)
    assert not torch.equal(a, c)
    assert not torch.equal(a, x)


def test_it_leaves_modes_gradients_hooks_and_the_global_stream():
    target, net = mlp(16, 8, 8, 3, norm=True, dropout=0.5).eval(), Counted(convnet())
    target[1].train()
    flags = [m.training for m in target.modules()]
    stream = torch.get_rng_state()
    gl.warm_up(target, net, sample=batch(), steps=2)
    assert [m.training for m in target.modules()] == flags
    assert torch.equal(torch.get_rng_state(), stream)
    assert hooks(target) == 0
    assert all(p.grad is None for p in target.parameters())
    assert net.count == 2
    assert target[2].num_batches_tracked == 2  # in train mode meanwhile


def test_dropout_of_the_target_is_repeatable():
    a, b = (mlp(16, 8, 8, 3, dropout=0.5) for _ in range(2))
    for net in (a, b):
        torch.rand(3)  # the caller's stream differs
        gl.warm_up(net, convnet(), sample=batch(), steps=2)
    assert torch.equal(a[1].weight, b[1].weight)


def test_an_optimizer_of_ones_own():
    target = mlp(16, 8, 8, 3)
    before = copy.deepcopy(target.state_dict())
    optimizer = torch.optim.SGD([target[1].weight], lr=0.1)
    gl.warm_up(target, convnet(), sample=batch(), steps=2, optimizer=optimizer)
    changed = {name for name, value in target.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"1.weight"}


def test_options_of_guide_reach_it():
    history = gl.warm_up(mlp(16, 8, 8, 3), convnet(), sample=batch(), steps=3, layers={"1": "4"},
                         similarity="sp", stop_after=2, weight=0.5)
    assert history.columns.tolist() == ["step", "loss", "1 <- 4"]
    assert history["loss"][2] == 0
    assert history["loss"][0] == pytest.approx(0.5 * history["1 <- 4"][0])
    with pytest.raises(TypeError):
        gl.warm_up(mlp(16, 8, 3), convnet(), sample=batch(), setps=3)


def test_every_step_is_told_and_changes_no_bit():
    told, untold = (mlp(16, 8, 8, 3, dropout=0.5) for _ in range(2))
    heard = []
    ours = gl.warm_up(told, convnet(), sample=batch(), steps=3, on_step=lambda *state: heard.append(state))
    theirs = gl.warm_up(untold, convnet(), sample=batch(), steps=3)
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert ours.equals(theirs)
    assert torch.equal(told[1].weight, untold[1].weight)


def test_progress_is_a_line_of_text_that_stays(capsys):
    gl.warm_up(mlp(16, 8, 3), convnet(), sample=batch(), steps=2, progress=True)
    assert "2/2" in capsys.readouterr().out.splitlines()[-1]


def test_no_steps_and_wrong_steps():
    target = mlp(16, 8, 3)
    before = target[1].weight.clone()
    assert len(gl.warm_up(target, convnet(), sample=batch(), steps=0)) == 0
    assert torch.equal(target[1].weight, before)
    with pytest.raises(ValueError, match="received -1"):
        gl.warm_up(target, convnet(), sample=batch(), steps=-1)


def test_a_warm_up_that_breaks_says_so():
    with pytest.warns(UserWarning, match=r"NaN at step \d+: lower lr \(received 1e\+30\)"):
        gl.warm_up(mlp(16, 8, 8, 3), convnet(), sample=batch(), steps=5, lr=1e30)


def test_weight_zero_trains_nothing():
    target = mlp(16, 8, 3)
    before = target[1].weight.clone()
    history = gl.warm_up(target, convnet(), sample=batch(), steps=2, weight=0.0)
    assert torch.equal(target[1].weight, before)
    assert history["loss"].tolist() == [0, 0]


def test_an_option_that_is_none_is_said_with_what_may_be_meant():
    net = torch.nn.Linear(3, 2)
    for wrong, meant in (("step", "steps"), ("weigth", "weight")):
        with pytest.raises(TypeError, match=f"warm_up has no option '{wrong}', did you mean '{meant}'"):
            gl.warm_up(net, torch.nn.Linear(3, 2), sample=torch.zeros(8, 3), **{wrong: 1})
