"""Which layers are taken, in which order, as examples (n, ...); and that looking leaves no trace."""

import pytest
import torch
from models import DictInputs, Result, Reused, SkipsLayers, TimeFirst, batch, convnet, hooks, mlp
from torch import nn

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import (
    FOLDED,
    batch_size,
    examples,
    first_tensor,
    reading_by_shape,
    selected,
)


class Conv1D(nn.Module):
    """As in Hugging Face's GPT-2: a leaf of its own kind with a weight matrix."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6))
        self.bias = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        return x @ self.weight + self.bias


class Scale(nn.Module):
    """A leaf with a vector, and no matrix."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))


@pytest.mark.parametrize("module", [
    nn.Linear(2, 2), nn.Conv1d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1),
    nn.Bilinear(2, 2, 2), nn.GRU(2, 2), nn.LSTMCell(2, 2), nn.MultiheadAttention(2, 1),
    nn.AdaptiveAvgPool2d(1), Conv1D(),
], ids=lambda m: type(m).__name__)
def test_what_is_a_layer(module):
    assert list(selected(nn.Sequential(module))) == ["0"]


@pytest.mark.parametrize("module", [
    nn.BatchNorm2d(2), nn.LayerNorm((2, 2)), nn.GroupNorm(1, 2), nn.InstanceNorm1d(2, affine=True),
    nn.RMSNorm((2, 2)), nn.Embedding(3, 2), nn.EmbeddingBag(3, 2), nn.ReLU(), nn.PReLU(), nn.Dropout(),
    nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(), Scale(),
], ids=lambda m: type(m).__name__)
def test_what_is_not(module):
    assert list(selected(nn.Sequential(module))) == []


def test_attention_is_one_leaf_although_it_owns_a_linear_layer():
    assert list(selected(nn.TransformerEncoderLayer(4, 2, 8))) == ["self_attn", "linear1", "linear2"]


def test_execution_order_not_order_of_definition():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.second = nn.Linear(3, 2)
            self.first = nn.Linear(4, 3)

        def forward(self, x):
            return self.second(self.first(x))

    assert list(capture(Backwards(), torch.zeros(2, 4))) == ["first", "second"]


def test_capture_is_what_the_layers_put_out():
    net, x = mlp(16, 8, 5, 3, inplace=True), batch()
    found = capture(net, x)
    a = net[1](x.flatten(1))
    b = net[4](torch.relu(a))
    c = net[7](torch.relu(b))
    assert list(found) == ["1", "4", "7"]
    for got, wanted in zip(found.values(), (a, b, c), strict=True):
        assert torch.equal(got, wanted)  # a copy: the in-place ReLU after it has not changed it


def test_looking_leaves_no_trace():
    net, x = convnet(), batch()
    net[5].eval()  # flags differ from module to module
    state = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [m.training for m in net.modules()]
    stream = torch.get_rng_state()
    for look in (capture, gl.layers):
        look(net, x)
    assert [m.training for m in net.modules()] == flags
    assert hooks(net) == 0
    assert torch.equal(torch.get_rng_state(), stream)  # dropout did not run
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_hooks_go_when_the_forward_fails():
    net = convnet()
    with pytest.raises(RuntimeError):
        capture(net, torch.zeros(2, 3, 4, 4))
    assert hooks(net) == 0
    assert net.training


def test_table_of_layers():
    table = gl.layers(convnet(), batch(5))
    assert table["type"].tolist() == [
        "Conv2d", "BatchNorm2d", "ReLU", "Dropout", "Conv2d", "BatchNorm2d", "AdaptiveAvgPool2d", "Flatten",
        "Linear"]
    assert table.query("selected")["name"].tolist() == ["0", "4", "6"]
    assert table["features"].tolist() == [64, 64, 64, 64, 20, 20, 5, 5, 3]
    assert table["output"][0] == (5, 4, 4, 4)
    assert table["reason"].tolist()[:4] == ["", "normalisation", "no weight matrix", "no weight matrix"]


def test_table_counts_calls_and_says_what_did_not_run():
    table = gl.layers(Reused(), batch()).query("selected")
    assert table["name"].tolist() == ["shared[0]", "shared[1]"]
    assert table["calls"].tolist() == [2, 2]
    net = SkipsLayers()
    net.skip = True
    row = gl.layers(net, batch()).set_index("name").loc["middle"]
    assert (row["reason"], row["calls"], row["selected"]) == ("did not run", 0, False)


def test_table_of_a_network_with_keywords_and_objects():
    sample = {"input_ids": torch.zeros(6, 5, dtype=torch.long), "attention_mask": torch.ones(6, 5)}
    table = gl.layers(DictInputs(), sample)
    assert table.query("selected")["name"].tolist() == ["rnn", "attention"]
    assert table.set_index("name").loc["embed", "reason"] == "embedding"


def test_batch_axis_elsewhere():
    found = capture(TimeFirst(), torch.zeros(7, 5, 6), batch_dim=1)
    assert {tuple(x.shape) for x in found.values()} == {(5, 7, 8), (5, 7, 3)}


# Outputs as examples


def test_tokens_folded_into_the_batch_are_unfolded_in_order():
    x = torch.arange(24.0).reshape(3, 2, 4)  # (n, t, p)
    assert torch.equal(examples(x.flatten(0, 1), 3, FOLDED)[0], x)


@pytest.mark.parametrize(("shape", "words"), [
    ((5, 2), "no batch axis of n = 3"), ((), "no batch axis"), ((3, 0), "is empty")])
def test_outputs_that_are_not_examples_say_why(shape, words):
    x, reason = examples(torch.zeros(shape), 3, reading_by_shape(shape, 3))
    assert x is None
    assert words in reason
    assert str(shape) in reason


def test_the_named_axis_comes_before_a_multiple():
    x = torch.randn(6, 3, 4)
    assert reading_by_shape(x.shape, 3, 1) == 1
    assert torch.equal(examples(x, 3, 1)[0], x.movedim(1, 0))


@pytest.mark.parametrize("output", [
    torch.ones(2), (torch.ones(2), None), [torch.zeros(1, dtype=torch.long), torch.ones(2)],
    {"ids": torch.zeros(1, dtype=torch.long), "h": torch.ones(2)}, Result(torch.ones(2)), ((torch.ones(2),),),
], ids=["tensor", "tuple", "integers first", "dict", "object", "nested"])
def test_first_tensor(output):
    assert torch.equal(first_tensor(output), torch.ones(2))


@pytest.mark.parametrize("output", [None, (), torch.zeros(1, dtype=torch.long), "text", {"a": 1}])
def test_no_tensor(output):
    assert first_tensor(output) is None


def test_batch_size_is_that_of_the_first_tensor():
    x = torch.zeros(3, 4)
    for args in ((x,), (None, x), ({"x": x},), ([x],), ((1, x),)):
        assert batch_size(args, {}) == 3
        assert batch_size(args, {}, 1) == 4
    assert batch_size((), {"x": x}) == 3
    assert batch_size((), {"x": x}, 1) == 4


def test_without_a_tensor_there_is_no_batch_size():
    message = r"no tensor with a batch axis \(batch_dim=0\) among the 1 arguments and keywords \['n'\]"
    with pytest.raises(ValueError, match=message):
        batch_size((1,), {"n": 2})
