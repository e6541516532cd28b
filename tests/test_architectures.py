"""The map of architectures: what its log holds, that it is gone on from, and that all sides are the same."""

import pytest
import torch

from guidelib.experiments import architectures, config, make_guide_network, make_target, make_task
from guidelib.experiments.catalogue.architectures import FAMILIES

PAIR = ("fully connected", "Transformer")


def test_a_family_is_the_same_net_whether_target_or_guide():
    """So that one map can be read in both directions."""
    sizes = {}
    for name in FAMILIES:
        made = config("architectures", profile="smoke", family=name, guide_family=name)
        task = make_task(made)
        target, guide = make_target(made, task), make_guide_network(made, task)
        both = list(zip(target.parameters(), guide.parameters(), strict=True))
        assert all(p.shape == q.shape for p, q in both)
        assert not all(torch.equal(p, q) for p, q in both)  # of another seed
        sizes[name] = sum(p.numel() for p in target.parameters())
    assert len(set(sizes.values())) >= 3  # but for their skips two of them are one net
    with pytest.raises(ValueError, match="no family 'cnn': family and guide_family are each one of fully"):
        make_target(made.with_(family="cnn"), task)


def test_the_study_keeps_every_pair_and_goes_on_from_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(architectures, "CONDITIONS", ("base", "untrained"))  # a third of the time
    asked = {"out": tmp_path, "profile": "smoke", "jobs": 1, "families": PAIR}
    table = architectures.study(seeds=[0], **asked)
    places = ["target", "guide", "condition"]
    assert len(table) == 2 * 2 * 2 * 2 and table["seed"].unique() == [0]
    assert (table.groupby(places)["chosen"].sum() == 1).all()
    # Before training a target is as far from its guide whether that guide will be there or not.
    start = table.set_index([*places, "lr"])["misalignment_start"].unstack("condition")
    assert (start["base"] == start["untrained"]).all()
    assert (table[["misalignment_start", "misalignment_end"]] > 0).all(axis=None)

    def none_left(todo, **how):
        assert list(todo) == []

    monkeypatch.setattr("guidelib.experiments.tuning.run_grid", none_left)
    again = architectures.study(seeds=[0], **asked)
    assert again.astype(str).equals(table.astype(str))
