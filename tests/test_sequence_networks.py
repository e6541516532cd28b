"""Sequence networks: who sees which token, sizes by closed form, outputs by hand, padding without effect."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import selected
from guidelib.guidance.controls import same_family
from guidelib.networks import LSTM, RNN, Transformer
from guidelib.networks.seeding import seeded
from guidelib.networks.transformer import attended, sinusoids

VOCAB, PAD = 7, 6
IDS = torch.randint(0, PAD, (6, 5), generator=torch.Generator().manual_seed(0))  # (n, t), none is padding
SIZES = {"vocab": VOCAB, "width": 12, "depth": 2}


def rnn(**options):
    return RNN(**SIZES | options)


def lstm(**options):
    return LSTM(**SIZES | options)


def transformer(**options):
    return Transformer(**SIZES | {"heads": 3} | options)


BUILD = {
    "rnn": rnn,
    "rnn-relu-leak": lambda **o: rnn(nonlinearity="relu", leak=True, embed=5, **o),
    "lstm": lstm,
    "transformer": transformer,
    "transformer-both-ways": lambda **o: transformer(causal=False, positions=None, feedforward=9, **o),
    "transformer-post-norm": lambda **o: transformer(norm_first=False, dropout=0.1, **o),
    "transformer-as-released": lambda **o: transformer(tied=True, norm_gain=0.02, **o),
}
CAUSAL = ["rnn", "lstm", "transformer", "transformer-post-norm", "transformer-as-released"]
networks = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD)


def pooled_builder(name):
    pool = "mean" if name.startswith("transformer") else "last"
    return lambda pad: BUILD[name](pool=pool, pad=pad, outputs=3)


pooled = pytest.mark.parametrize("build", [pooled_builder(name) for name in BUILD], ids=BUILD)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def weights(net):
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def reach(net, ids=IDS):
    """(t, t): how much the logits at a token (row) depend on the embedding of another (column)."""
    kept = []
    hook = net.embedding.register_forward_hook(lambda m, args, y: kept.append(y))
    logits = net.eval()(ids)
    hook.remove()
    rows = []
    for t in range(ids.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, t].square().sum(), kept, retain_graph=True)  # (n, t, p)
        rows.append(gradient.abs().sum((0, 2)))
    return torch.stack(rows)


# What all of them promise

@networks
def test_output_has_a_row_a_token(build):
    assert build()(IDS).shape == (6, 5, VOCAB)
    assert build(outputs=3)(IDS.int()).shape == (6, 5, 3)


@pooled
def test_pooled_output_has_a_row_a_sequence(build):
    assert build(None)(IDS).shape == build(PAD)(IDS).shape == (6, 3)


@networks
def test_a_seed_fixes_the_weights_and_the_global_stream_is_left_alone(build):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first = weights(build(seed=3))
    assert torch.equal(torch.rand(3), expected)
    assert same(first, weights(build(seed=3)))
    assert not same(first, weights(build(seed=4)))


@networks
def test_reset_draws_all_again_from_the_global_stream(build):
    """What a network was before leaves no trace."""
    fresh, used = build(seed=0), build(seed=1)
    with torch.no_grad():
        for p in used.parameters():
            p.fill_(7)
    for net in (fresh, used):
        with seeded(3):
            net.reset_parameters()
    assert same(fresh.state_dict(), used.state_dict())
    assert not same(weights(used), weights(build(seed=1)))


@networks
def test_same_family_can_draw_it_again(build):
    net = build()
    again = same_family(net, seed=3)
    drawn = [name for name, p in net.named_parameters() if p.std() > 0]  # the others are set to 0 or 1
    assert drawn and all(not torch.equal(weights(net)[name], weights(again)[name]) for name in drawn)


@networks
def test_every_weight_gets_a_gradient(build):
    net = build()
    F.cross_entropy(net(IDS).flatten(0, 1), IDS.flatten()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@networks
def test_examples_do_not_mix(build):
    net = build().double().eval()
    torch.testing.assert_close(net(IDS)[:2], net(IDS[:2]))


# Who sees which token

@pytest.mark.parametrize("name", CAUSAL)
def test_no_logit_depends_on_a_later_token(name):
    """To the last bit, by gradient; and each depends on all tokens up to its own."""
    seen = reach(BUILD[name]().double())
    earlier = torch.ones(5, 5).tril() > 0
    assert (seen[~earlier] == 0).all() and (seen[earlier] > 0).all()


@pytest.mark.parametrize("name", CAUSAL)
def test_changing_a_token_changes_no_earlier_logit(name):
    net = BUILD[name]().double().eval()
    changed = IDS.clone()
    changed[:, 3] = (IDS[:, 3] + 1) % PAD
    difference = (net(IDS) - net(changed)).abs().amax((0, 2))  # (t,)
    assert (difference[:3] < 1e-12).all() and (difference[3:] > 1e-9).all()


def test_a_leak_shows_later_tokens_to_all_layers_but_the_first():
    """The released code's state passing, in the paper's next-word RNN.

    With it the logits at position 0 depend on every later token.
    """
    leaky = reach(rnn(leak=True).double())
    assert (leaky > 0).all()
    assert (reach(rnn(depth=1, leak=True).double()).triu(1) == 0).all()


def test_leak_by_hand():
    net = rnn(leak=True, embed=5).double()
    first, second = net.layers
    x, state = first(net.embedding(IDS))  # state: (1, n, width), after the last token
    x, _ = second(x, state)
    torch.testing.assert_close(net(IDS), net.head(x))
    with torch.no_grad():
        assert not torch.allclose(net(IDS), rnn(embed=5).double()(IDS))  # the same weights, without


def test_without_causality_a_transformer_sees_all():
    assert (reach(transformer(causal=False).double()) > 0).all()


# Padding

def ragged(lengths=(5, 3, 1, 4, 2, 5)):
    """IDS (n, t) cut to these lengths and padded again."""
    return torch.where(torch.arange(5) < torch.tensor(lengths)[:, None], IDS, PAD), lengths


@pooled
def test_padding_changes_no_pooled_logit(build):
    net = build(PAD).double().eval()
    padded, lengths = ragged()
    alone = torch.cat([net(IDS[i:i + 1, :length]) for i, length in enumerate(lengths)])
    torch.testing.assert_close(net(padded), alone)
    with torch.no_grad():
        net.embedding.weight[PAD] += 100
    torch.testing.assert_close(net(padded), alone)


@networks
def test_padding_changes_no_logit_of_a_token(build):
    net = build(pad=PAD).double().eval()
    padded, lengths = ragged()
    logits = net(padded)
    for i, length in enumerate(lengths):
        torch.testing.assert_close(logits[i, :length], net(IDS[i:i + 1, :length])[0])


@pooled
def test_without_pad_the_same_id_is_a_token_like_others(build):
    net = build(None).double().eval()
    padded, _ = ragged()
    alone = net(padded[2:3, :1])
    assert not torch.allclose(net(padded)[2:3], alone, atol=1e-6)


@pooled
def test_no_padding_is_the_same_as_no_pad(build):
    """A mask of ones takes another way through the attention."""
    torch.testing.assert_close(build(PAD).double().eval()(IDS), build(None).double().eval()(IDS))


@pooled
def test_a_sequence_of_padding_alone_stays_finite(build):
    """As uniform noise over the tokens may hold, and a causal net whose padding comes first."""
    net = build(PAD)
    ids = torch.tensor([[PAD] * 5, [PAD, PAD, 1, 2, PAD]])
    logits = net(ids)
    logits.square().sum().backward()
    assert logits.isfinite().all() and all(p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("causal", [True, False])
def test_who_attends_to_whom(causal):
    """Any backend's softmax then has something to weigh: what one over nothing gives differs between them."""
    tokens = torch.tensor([[False, False, True, False], [True, True, False, True], [False] * 4])
    mask = attended(tokens, causal=causal)
    assert mask.shape == (3, 1, 4, 4) and mask.any(-1).all()
    for n, i, j in itertools.product(range(3), range(4), range(4)):
        assert mask[n, 0, i, j] == ((tokens[n, j] or i == j) and (j <= i or not causal))


def test_padding_in_front_changes_nothing_without_positions():
    net = transformer(positions=None, pad=PAD, pool="mean").double()
    front = torch.cat([torch.full((6, 3), PAD), IDS], 1)
    torch.testing.assert_close(net(front), net(IDS))


# Recurrent nets

@pytest.mark.parametrize(("build", "gates"), [(RNN, 1), (LSTM, 4)])
def test_recurrent_parameters_by_closed_form(build, gates):
    vocab, width, depth, embed, outputs = 11, 7, 3, 5, 2
    layers = gates * ((embed + (depth - 1) * width) * width + depth * (width * width + 2 * width))
    net = build(vocab=vocab, width=width, depth=depth, embed=embed, outputs=outputs)
    assert parameters(net) == vocab * embed + layers + width * outputs + outputs


def test_the_small_language_model_has_the_published_size():
    """24.3 million with the released code's vocabulary (BERT, cased)."""
    assert parameters(RNN(vocab=28_996, width=512, depth=4, embed=256)) == pytest.approx(24.3e6, abs=0.05e6)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_rnn_by_hand(nonlinearity):
    net = rnn(depth=1, nonlinearity=nonlinearity).double()
    (layer,) = net.layers
    f = getattr(torch, nonlinearity)
    x = net.embedding(IDS)
    h = torch.zeros(6, 12, dtype=torch.float64)
    states = []
    for t in range(5):
        new = x[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0
        old = h @ layer.weight_hh_l0.T + layer.bias_hh_l0
        h = f(new + old)
        states.append(h)
    torch.testing.assert_close(net(IDS), torch.stack(states, 1) @ net.head.weight.T + net.head.bias)


def test_lstm_by_hand():
    net = lstm(depth=1).double()
    (layer,) = net.layers
    x = net.embedding(IDS)
    h = torch.zeros(6, 12, dtype=torch.float64)
    c = 0.0
    states = []
    for t in range(5):
        new = x[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0
        old = h @ layer.weight_hh_l0.T + layer.bias_hh_l0
        i, f, g, o = (new + old).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    torch.testing.assert_close(net(IDS), torch.stack(states, 1) @ net.head.weight.T + net.head.bias)


def test_pooling_takes_the_state_after_the_last_token():
    padded, lengths = ragged()
    every, pooled = rnn(outputs=3), rnn(outputs=3, pool="last", pad=PAD)
    expected = torch.stack([every(padded)[i, length - 1] for i, length in enumerate(lengths)])
    torch.testing.assert_close(pooled(padded), expected)
    torch.testing.assert_close(rnn(outputs=3, pool="last")(padded), every(padded)[:, -1])


# Transformer

@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_parameters_by_closed_form(norm_first):
    vocab, width, depth, outputs, hidden = 11, 6, 3, 2, 10
    attention = 3 * (width * width + width) + (width * width + width)
    block = 4 * width + attention + (2 * width * hidden + hidden + width)
    expected = vocab * width + depth * block + 2 * width * norm_first + width * outputs + outputs
    net = Transformer(vocab=vocab, width=width, depth=depth, heads=2, outputs=outputs, feedforward=hidden,
                      norm_first=norm_first)
    assert parameters(net) == expected
    wide = Transformer(vocab=vocab, width=width, depth=1, heads=2)
    assert wide.blocks[0].up.out_features == 4 * width


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_by_hand(causal, norm_first):
    net = transformer(depth=1, heads=2, causal=causal, norm_first=norm_first).double()
    block = net.blocks[0]

    def norm(x):
        return F.layer_norm(x, (12,))

    def attention(x):
        q, k, v = (x @ block.qkv.weight.T + block.qkv.bias).split(12, dim=2)
        heads = []
        for part in (slice(0, 6), slice(6, 12)):  # two heads of width 6
            scores = q[..., part] @ k[..., part].transpose(1, 2) / 6**0.5
            if causal:
                scores = scores.masked_fill(torch.ones(5, 5).triu(1) > 0, -math.inf)
            heads.append(scores.softmax(-1) @ v[..., part])
        return torch.cat(heads, 2) @ block.out.weight.T + block.out.bias

    def feed(x):
        hidden = F.gelu(x @ block.up.weight.T + block.up.bias)
        return hidden @ block.down.weight.T + block.down.bias

    position = torch.arange(5, dtype=torch.float64)[:, None]
    wave = 10_000 ** (-torch.arange(0, 12, 2, dtype=torch.float64) / 12)
    angle = position * wave
    x = net.embedding(IDS) + torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
    if norm_first:
        x = x + attention(norm(x))
        x = norm(x + feed(norm(x)))
    else:
        x = norm(x + attention(x))
        x = norm(x + feed(x))
    expected = x @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(IDS), expected, atol=1e-6, rtol=1e-5)  # positions are float32


def test_sinusoids_tell_distances_and_no_more():
    """The product of two positions is a function of their distance: sin sin + cos cos is its cos."""
    x = sinusoids(20, 12)
    products = x @ x.T
    wave = 10_000 ** (-torch.arange(0, 12, 2) / 12)
    expected = torch.stack([(d * wave).cos().sum() for d in range(20)])
    for i in range(20):
        torch.testing.assert_close(products[i, i:], expected[:20 - i], atol=1e-4, rtol=0)
    assert sinusoids(20, 11).shape == (20, 11)


def test_without_positions_and_causality_it_is_a_bag_of_tokens():
    options = {"causal": False, "pool": "mean"}
    bag = transformer(positions=None, **options).double()
    sequence = transformer(**options).double()
    torch.testing.assert_close(bag(IDS.flip(1)), bag(IDS))
    assert not torch.allclose(sequence(IDS.flip(1)), sequence(IDS), atol=1e-4)


def test_mean_pooling_is_the_head_of_the_mean():
    every, pooled = transformer().double(), transformer(pool="mean").double()
    torch.testing.assert_close(pooled(IDS), every(IDS).mean(1))  # the head is linear


def test_tied_blocks_share_parameters_and_are_called_again():
    net, one = transformer(tied=True, depth=3), transformer(depth=1)
    assert parameters(net) == parameters(one) and set(net.state_dict()) == set(one.state_dict())
    untied = transformer(depth=3)
    for block in untied.blocks:
        block.load_state_dict(net.blocks[0].state_dict())
    for part in ("embedding", "head"):
        getattr(untied, part).load_state_dict(getattr(net, part).state_dict())
    assert torch.equal(net(IDS), untied(IDS))


def test_norm_gain_draws_the_gains():
    net, usual = transformer(width=120, norm_gain=0.02), transformer(width=120)
    norms = [m for m in net.modules() if isinstance(m, nn.LayerNorm)]
    gains = torch.cat([m.weight for m in norms])
    assert len(gains) == (2 * 2 + 1) * 120
    assert gains.std().item() == pytest.approx(0.02, rel=5 / (2 * len(gains)) ** 0.5)
    assert abs(gains.mean().item()) < 5 * 0.02 / len(gains) ** 0.5
    assert all((m.bias == 0).all() for m in norms)
    assert all((m.weight == 1).all() for m in usual.modules() if isinstance(m, nn.LayerNorm))


def test_dropout_zeroes_that_share_in_training_alone():
    net = transformer(width=120, dropout=0.25)
    x = torch.ones(200, 5, 120)
    with seeded(0):
        parts = [net.blocks[0].feed(x), net.blocks[0].attend(x, None, True), _embedding_after_dropout(net)]
    shares = [(part == 0).float().mean().item() for part in parts]
    tolerance = 4 * (0.25 * 0.75 / x.numel()) ** 0.5
    assert shares == pytest.approx([0.25] * 3, abs=tolerance)
    net.eval()
    assert torch.equal(net(IDS), net(IDS)) and (_embedding_after_dropout(net) != 0).all()


def _embedding_after_dropout(net):
    seen = []
    hook = net.blocks[0].register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    net(IDS.repeat(200 // 6 + 1, 1)[:200])
    hook.remove()
    return seen[0]


# In guidance

@pytest.mark.parametrize("build", [rnn, lstm])
def test_every_recurrent_layer_can_be_aligned(build):
    table = gl.layers(build(depth=3, embed=5), IDS)
    chosen = table[table["selected"]]
    assert chosen["name"].tolist() == ["layers.0", "layers.1", "layers.2"]
    assert chosen["output"].tolist() == [(6, 5, 12)] * 3
    assert table.set_index("name").loc["head", ["output", "reason"]].tolist() == [(6, 5, VOCAB),
                                                                                  "last layer (logits)"]


def test_every_weight_matrix_of_the_transformer_can_be_aligned():
    blocks = [f"blocks.{i}.{part}" for i in range(2) for part in ("qkv", "out", "up", "down")]
    assert list(selected(transformer())) == [*blocks, "head"]
    table = gl.layers(transformer(pad=PAD), IDS)
    chosen = table[table["selected"]]
    assert chosen["name"].tolist() == blocks and (chosen["calls"] == 1).all()


def test_calls_of_tied_blocks_are_layers_of_their_own():
    table = gl.layers(transformer(tied=True), IDS)
    calls = [f"blocks.0.{part}[{i}]" for i in range(2) for part in ("qkv", "out", "up", "down")]
    assert table[table["selected"]]["name"].tolist() == calls


def inputs_of(net, seen):
    return net.register_forward_pre_hook(lambda m, args: seen.append(args[0]))


@pytest.mark.parametrize("build", [rnn, lambda **o: rnn(leak=True, **o), lstm],
                         ids=["rnn", "rnn-leak", "lstm"])
@pytest.mark.parametrize("tied", [False, True])
def test_a_recurrent_net_is_guided_by_a_transformer(build, tied):
    """On the same token ids, to the sum over pairs of 1 - CKA, every layer of the target with a gradient."""
    target = build(seed=1)
    guide = transformer(tied=tied, depth=3, seed=2)
    seen = []
    inputs_of(target, seen)
    inputs_of(guide, seen)
    with gl.guide(target, guide) as g:
        target(IDS)
        loss = g.loss()
        loss.backward()
        plan = g.plan()
    assert len(seen) == 2 and torch.equal(seen[0], IDS) and torch.equal(seen[1], IDS)
    below = [target.embedding.weight, *target.layers.parameters()]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in below)
    pairs = plan[plan["reason"] == ""]
    assert len(pairs) == 12 and set(pairs["target"]) == {"layers.0", "layers.1"}
    x = capture(target, IDS)
    y = capture(guide, IDS)
    expected = sum(1 - gl.cka(x[t], y[s]) for t, s in zip(pairs["target"], pairs["guide"], strict=True))
    torch.testing.assert_close(loss.detach(), expected, atol=1e-4, rtol=0)


def test_a_transformer_is_guided_by_a_pooled_recurrent_net():
    """As parity is: padded bits, one answer a sequence."""
    padded, _ = ragged()
    target = transformer(pool="mean", pad=PAD, causal=False, outputs=2)
    guide = rnn(pool="last", pad=PAD, depth=1, outputs=2)
    with gl.guide(target, guide) as g:
        loss = F.cross_entropy(target(padded), padded[:, 0] % 2) + g.loss()
        loss.backward()
    assert loss.isfinite() and all(p.grad.isfinite().all() for p in target.parameters())


def test_warm_up_draws_token_ids_for_both():
    target = rnn()
    guide = transformer()
    before = weights(target)
    kept = weights(guide)
    seen = []
    inputs_of(target, seen)
    inputs_of(guide, seen)
    table = gl.warm_up(target, guide, sample=IDS, steps=2)
    a, b, c, d = seen
    assert torch.equal(a, b) and torch.equal(c, d) and not torch.equal(a, c)
    assert all(ids.dtype == IDS.dtype and ids.min() >= IDS.min() and ids.max() <= IDS.max() for ids in seen)
    assert len(table) == 2 and table["loss"].between(0, 8).all()
    assert same(kept, weights(guide))
    for name, p in target.named_parameters():
        assert name.startswith("head") or not torch.equal(before[name], p)


@pytest.mark.parametrize("build", [rnn, lstm, transformer])
def test_it_learns_to_repeat_the_token_before(build):
    """What no net does that looks at one token alone: at best 1 in 6 would be right."""
    net = build(width=24, pad=None)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-2)
    stream = torch.Generator().manual_seed(0)
    for _ in range(60):
        ids = torch.randint(0, PAD, (64, 6), generator=stream)
        logits = net(ids)[:, 1:]
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, :-1].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (logits.argmax(-1) == ids[:, :-1]).float().mean() > 0.95


# Errors say what was received

@pytest.mark.parametrize(("build", "options", "received"), [
    (rnn, {"width": 0}, "width .* 0"), (lstm, {"depth": 2.5}, "depth .* 2.5"),
    (transformer, {"vocab": -1}, "vocab .* -1"), (rnn, {"embed": 0}, "embed .* 0"),
    (lstm, {"outputs": 0}, "outputs .* 0"), (transformer, {"feedforward": 0}, "feedforward .* 0"),
    (rnn, {"nonlinearity": "sigmoid"}, "nonlinearity .*'tanh'.*'sigmoid'"),
    (rnn, {"pool": "mean"}, "pool .*'last'.*'mean'"),
    (transformer, {"pool": "last"}, "pool .*'mean'.*'last'"),
    (transformer, {"positions": "learned"}, "positions .*'sinusoidal'.*'learned'"),
    (transformer, {"heads": 5}, "width=12 and heads=5"), (transformer, {"dropout": 1.0}, "dropout .* 1.0"),
    (transformer, {"norm_gain": 0.0}, "norm_gain .* 0.0"), (rnn, {"pad": 7}, "0 to 6 .* 7"),
    (transformer, {"pad": -1}, "0 to 6 .* -1"),
])
def test_options_that_cannot_be(build, options, received):
    with pytest.raises(ValueError, match=received):
        build(**options)


@pytest.mark.parametrize("build", [rnn, lstm, transformer])
@pytest.mark.parametrize(("ids", "received"), [
    (torch.zeros(3, 4), r"float32 \(3, 4\)"), (torch.zeros(3, dtype=torch.long), r"int64 \(3,\)"),
    (torch.zeros(3, 0, dtype=torch.long), r"\(3, 0\)"), (torch.tensor([[0, 7]]), "0 to 6, received 0 to 7"),
    (torch.tensor([[-1, 2]]), "received -1 to 2"),
])
def test_inputs_that_are_no_token_ids(build, ids, received):
    with pytest.raises(ValueError, match=received):
        build()(ids)
