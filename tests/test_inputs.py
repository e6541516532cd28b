"""Which argument is the input: never the answers, nor a mask; tokens by codes of any number."""

import pickle
import warnings

import pytest
import torch
import torch.nn.functional as F
from models import batch, convnet, mlp
from torch import nn

import guidelib as gl
from guidelib.analysis import input_geometry
from guidelib.guidance import Call
from guidelib.guidance.inputs import CODES, as_features, input_of

IDS = torch.randint(3, 9, (6, 5), generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 0, 1, 1, 0])
MASK = torch.ones(6, 5, dtype=torch.long)


class Reader(nn.Module):
    """A model as of transformers: everything by keyword, labels among it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.hidden, self.out = nn.Embedding(20, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, input_ids=None, attention_mask=None, labels=None, **others):
        return self.out(self.hidden(self.embed(input_ids)).mean(1))


@pytest.mark.parametrize("order", [
    ("labels", "input_ids", "attention_mask"), ("attention_mask", "labels", "input_ids"),
    ("input_ids", "attention_mask", "labels")])
def test_the_controls_of_the_inputs_never_read_labels_or_masks_whatever_their_order(order):
    given = {"labels": LABELS, "input_ids": IDS, "attention_mask": MASK}
    call = Call((), {name: given[name] for name in order})
    assert torch.equal(input_of(call), IDS)
    target = Reader()
    with gl.guide(target, gl.controls.data_gram()) as g, warnings.catch_warnings():
        warnings.simplefilter("error")
        target(**{name: given[name] for name in order})
        g.loss()
        found = g.report()["cka"][0]
    hidden = target.hidden(target.embed(IDS))
    assert found == pytest.approx(gl.cka(hidden, F.one_hot(IDS).float()).item(), rel=1e-4)
    assert found != pytest.approx(gl.cka(hidden, F.one_hot(LABELS).float()).item(), rel=0.05)


@pytest.mark.parametrize("name", ["labels", "label", "targets", "target", "attention_mask"])
def test_nor_where_the_input_has_a_name_of_its_own_and_the_answers_are_as_wide(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(input_of(Call((), {name: IDS + 1, "tokens": IDS})), IDS)


def test_of_several_the_widest_is_taken_a_user_may_say_which_and_hears_of_it():
    time, x, y = torch.rand(6), torch.rand(6, 3), torch.rand(6, 2)
    assert input_of(Call((time, x), {})) is not time and torch.equal(input_of(Call((time, x), {})), x)
    assert torch.equal(input_of(Call((time,), {"label": LABELS})), time)
    with pytest.warns(UserWarning, match=r"\[0, 'y'\]: 0 is taken; inputs= of the control names another"):
        assert torch.equal(input_of(Call((x,), {"y": y})), x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(input_of(Call((x,), {"y": y}), "y"), y)
        assert torch.equal(input_of(Call(({"y": y, "z": x},), {}), "z"), x)
        assert torch.equal(input_of(Call((x,), {"y": y}), lambda x, y: 2 * y), 2 * y)
    with pytest.raises(ValueError, match=r"no input 'z'.*choose from \[0, 'y'\]"):
        input_of(Call((x,), {"y": y}), "z")


def test_data_gram_takes_the_input_that_it_is_told():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.last = nn.Linear(5, 4), nn.Linear(4, 2)

        def forward(self, a, b):
            return self.last(self.first(torch.cat([a, b], 1)))

    a, b = torch.rand(8, 3), torch.rand(8, 2)
    target, found = Two(), {}
    for name, options in (("a", {"inputs": "a"}), ("b", {"inputs": "b"})):
        with gl.guide(target, gl.controls.data_gram(**options)) as g:
            target(a=a, b=b)
            g.loss()
            found[name] = g.report()["cka"][0]
    hidden = target.first(torch.cat([a, b], 1))
    assert found == pytest.approx({"a": gl.cka(hidden, a).item(), "b": gl.cka(hidden, b).item()}, rel=1e-4)


def test_the_examples_may_be_at_another_axis_of_the_inputs():
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.rnn, self.out = nn.RNN(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.rnn(x)[0][-1])

    net, x = Late(), torch.rand(5, 6, 3)  # (steps, n, features)
    with gl.guide(net, gl.controls.data_gram(), batch_dim={"*": 1, "rnn": 1}) as g:
        net(x)
        hidden = net.rnn(x)[0].movedim(1, 0)
        assert g.loss().item() == pytest.approx(1 - gl.cka(hidden, x.movedim(1, 0)).item(), rel=1e-4)
    assert torch.equal(input_of(Call((x,), {}, batch_dim={"*": 1})), x.movedim(1, 0))


def test_many_tokens_have_the_same_gram_matrix_as_their_codes():
    ids = torch.randint(0, 3 * CODES, (16, 7), generator=torch.Generator().manual_seed(0))
    ids[5:9, 2] = ids[0, 2]
    ids[0, 0] = 3 * CODES
    whole = F.one_hot(ids).float().flatten(1)
    few = as_features(ids)
    assert few.shape == (16, 7, 16)
    assert torch.equal(few.flatten(1) @ few.flatten(1).T, whole @ whole.T)
    assert as_features(ids % 6).shape == (16, 7, 6)


def test_input_geometry_takes_what_a_forward_takes():
    net = Reader()
    expected = input_geometry(net, IDS)
    given = {"labels": LABELS, "input_ids": IDS, "attention_mask": MASK}
    assert input_geometry(net, given).equals(expected)
    assert input_geometry(net, given, inputs="input_ids").equals(expected)


@pytest.mark.parametrize("made", [
    gl.controls.identity(), gl.controls.data_gram(), gl.controls.length_gram(pad=0),
    gl.controls.fresh_noise(convnet()), gl.controls.shuffled(convnet())])
def test_controls_can_be_pickled(made):
    assert repr(pickle.loads(pickle.dumps(made))) == repr(made)


def test_answers_reach_no_guide_unless_its_forward_asks_for_them():
    seen = []

    class Any(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x, **others):
            seen.append(sorted(others))
            return self.b(self.a(x))

    class Asks(Any):
        def forward(self, x, target=None, **others):
            seen.append(["target"] * (target is not None) + sorted(others))
            return self.b(self.a(x))

    x = torch.rand(4, 3)
    given = {"labels": LABELS[:4], "label": LABELS[:4], "target": LABELS[:4], "other": x}
    for guide, expected in ((Any(), ["other"]), (Asks(), ["target", "other"])):
        target = Any()
        with gl.guide(target, guide) as g:
            target(x, **given)
            seen.clear()
            g.loss()
            assert seen[0] == expected


def test_a_control_serves_another_target_with_its_own_layers():
    control = gl.controls.identity()
    for widths in ((16, 8, 8, 3), (16, 8, 8, 8, 8, 8, 8, 3)):
        target = mlp(*widths)
        with gl.guide(target, control) as g:
            target(batch())
            g.loss()
            assert len(g.pairs) == len(widths) - 2


def test_types_that_do_not_fit_are_named_in_the_note():
    target = mlp(16, 8, 8, 3).bfloat16()
    with gl.guide(target, mlp(16, 8, 8, 3)) as g:
        target(batch().bfloat16())
        with pytest.raises(RuntimeError) as error:
            g.loss()
    said = "torch.float32, the inputs torch.bfloat16: cast it, guide.to(torch.bfloat16)"
    assert said in error.value.__notes__[1]
