"""Which guide layer steers which target layer: the paper's map, the released code's, and a user's own."""

import pytest
import torch

import guidelib as gl
from guidelib.guidance.pairing import by_depth, find, last_wins, pair_named
from guidelib.networks import FCN, ResNet

# paper_map: round(i * 47 / 20) for the 21 layers of a ResNet-18 on the 48 layers of the fully connected net
PAPER_MAP = [0, 2, 5, 7, 9, 12, 14, 16, 19, 21, 24, 26, 28, 31, 33, 35, 38, 40, 42, 45, 47]


def test_resnet18_has_21_layers_and_the_fully_connected_net_48():
    target = FCN(inputs=3072, outputs=10, depth=48, width=8)
    guide = ResNet(channels=3, width=4)
    x = torch.zeros(8, 3, 32, 32)
    with gl.guide(target, guide) as g:
        plan = g.plan(x)
    pairs = plan[plan["reason"] == ""]
    assert pairs["guide"].nunique() == len(pairs) == 21
    named = plan["target"][plan["target"] != ""].nunique()
    assert named == 49  # 48 and the logits
    assert (plan["reason"] == "last layer (logits)").sum() == 2
    order = capture_order(target, x)
    assert [order.index(name) for name in pairs["target"]] == PAPER_MAP


def capture_order(net, x):
    table = gl.layers(net, x)
    return table[table["selected"]]["name"].tolist()


def test_depth_map_of_the_paper():
    assert by_depth(21, 48) == list(zip(PAPER_MAP, range(21), strict=True))


@pytest.mark.parametrize(("guide", "target", "survivors"), [
    (21, 3, [5, 14, 20]), (21, 5, [2, 7, 12, 17, 20])])
def test_survivors_of_the_released_code(guide, target, survivors):
    assert [g for _, g in last_wins(by_depth(guide, target))] == survivors


@pytest.mark.parametrize("guide", range(1, 12))
@pytest.mark.parametrize("target", range(1, 12))
def test_depth_map_is_ordered_reaches_both_ends_and_uses_every_guide_layer(guide, target):
    pairs = by_depth(guide, target)
    targets = [t for t, _ in pairs]
    assert [g for _, g in pairs] == list(range(guide))
    assert targets == sorted(targets)
    assert targets[0] == 0
    assert targets[-1] == (target - 1 if guide > 1 else 0)


def test_equal_depth_is_one_to_one():
    assert by_depth(7, 7) == [(i, i) for i in range(7)]


# A user's own pairs

TARGET = {"fc1": True, "fc2": True, "relu": False, "fc3[0]": True, "fc3[1]": True}
GUIDE = {"conv1": True, "conv2": True, "norm": False}


@pytest.mark.parametrize(("layers", "pairs"), [
    ({"fc1": "conv2"}, [("fc1", "conv2")]),
    ([("fc1", "conv1"), ("fc1", "conv2")], [("fc1", "conv1"), ("fc1", "conv2")]),
    ({"fc[12]": "conv*"}, [("fc1", "conv1"), ("fc2", "conv2")]),
    # A glob finds default layers alone; one guide layer goes to the first.
    ({"*": "conv1"}, [("fc1", "conv1")]),
    ({"relu": "norm"}, [("relu", "norm")]),  # a name finds any
    ({"fc3": "conv*"}, [("fc3[0]", "conv1"), ("fc3[1]", "conv2")]),
    ({"fc3[1]": "conv1"}, [("fc3[1]", "conv1")]),
])
def test_names_and_globs(layers, pairs):
    assert pair_named(layers, TARGET, GUIDE) == pairs


def test_a_map_by_globs_follows_match():
    layers = {"fc1": "conv*"}
    assert pair_named(layers, TARGET, GUIDE) == [("fc1", "conv1"), ("fc1", "conv2")]
    assert pair_named(layers, TARGET, GUIDE, match="reference") == [("fc1", "conv2")]


def test_what_matches_nothing_is_named_with_what_there_is():
    message = r"no guide layer that ran matches 'pool\*'; the layers are \['conv1', 'conv2', 'norm'\]"
    with pytest.raises(ValueError, match=message):
        find("pool*", GUIDE, "guide")


def small():
    """A fully connected target and the ResNet that guides it."""
    return FCN(inputs=64, outputs=10, depth=8, width=4), ResNet(channels=1, width=4)


@pytest.mark.parametrize(("layers", "chosen"), [
    ("first-2", slice(2)), ("last-3", slice(-3, None)), ("first-99", slice(None))])
def test_ends_of_the_default_pairs(layers, chosen):
    """Paper, table 5: the same pairs as in the whole plan, only fewer."""
    target, guide = small()
    plans = []
    for asked in (None, layers):
        with gl.guide(target, guide, layers=asked) as g:
            plan = g.plan(torch.zeros(8, 1, 8, 8)).query("reason == ''")
        plans.append(plan[["target", "guide"]].values.tolist())
    every, some = plans
    assert len(every) == 21
    assert some == every[chosen]


@pytest.mark.parametrize("wrong", ["first-0", "middle-3", "first", "all"])
def test_ends_that_are_none_are_repeated(wrong):
    target, guide = small()
    with pytest.raises(ValueError, match=f"'first-K' or 'last-K', received '{wrong}'"):
        gl.guide(target, guide, layers=wrong)


def test_neighbours_are_the_layers_beside_those_of_the_papers_rule():
    """Paper, table 5: several guide layers for each target layer; the guide's ends have one neighbour."""
    target, guide = small()
    plans = []
    for match in ("depth", "neighbours"):
        with gl.guide(target, guide, match=match) as g:
            plan = g.plan(torch.zeros(8, 1, 8, 8)).query("reason == ''")
        plans.append(plan.groupby("target", sort=False)["guide"].apply(list).to_dict())
    one, several = plans
    order = list(dict.fromkeys(name for names in one.values() for name in names))  # every guide layer
    assert set(several) == set(one)
    for name, mine in one.items():
        places = sorted({near for of in mine for near in range(order.index(of) - 1, order.index(of) + 2)})
        assert sorted(several[name], key=order.index) == [order[i] for i in places if 0 <= i < len(order)]
    assert sum(map(len, several.values())) > 1.3 * sum(map(len, one.values()))
