"""Experiments: names, configurations, records, repeatability to the last bit, golden smoke records, grids."""

import json
from dataclasses import FrozenInstanceError, dataclass, field, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import guidelib as gl
from guidelib import evidence
from guidelib.experiments import conditions, records
from guidelib.experiments import procedure as runner
from guidelib.experiments.catalogue import CATALOGUE
from guidelib.experiments.conditions import GUIDES, TIMINGS
from guidelib.experiments.cost import dry_run
from guidelib.experiments.families import make_other
from guidelib.experiments.guides import Store
from guidelib.experiments.kept import kept_among
from guidelib.experiments.progress import progress_of

E = gl.experiments
GOLDEN = Path(__file__).parent / "golden" / "records"
RESULTS = Path(__file__).parent.parent / "results"


def smoke(condition="base", seed=0, **overrides):
    return E.config("deep-fcn", condition=condition, profile="smoke", seed=seed, **overrides)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("records")


def test_every_guide_has_every_schedule():
    assert {f"{g}-{s}".rstrip("-") for g in GUIDES for s in TIMINGS} <= set(E.CONDITIONS)
    found = E.find_condition("same-family-noise-fed")
    assert (found.guide, found.timing, found.role) == ("same-family", "noise-fed", "control")
    assert E.find_condition("untrained").timing == ""
    distilled = E.find_condition("distilled-untrained")
    assert distilled.teacher
    assert not distilled.learns


def test_a_condition_added_in_one_place_is_run_costed_drawn_and_judged(tmp_path, monkeypatch):
    """The control that is `shuffled_layers`: one line in GUIDES, and nobody else has to hear of it."""
    kind = conditions.Kind("control", "control: layers dealt at random",
                           lambda parts: gl.controls.shuffled_layers(parts.like, seed=parts.seed))
    monkeypatch.setitem(conditions.GUIDES, "shuffled-layers", kind)
    monkeypatch.setattr(conditions, "CONDITIONS", everyones := dict(conditions.CONDITIONS))
    everyones |= conditions.table()
    name = "shuffled-layers-warm-up"
    made = []
    for condition, seed in product(("base", "untrained-warm-up", name), (0, 1)):
        config = smoke(condition, seed, depth=3, epochs=1, warm_up_steps=2)
        made.append(E.run(config, device="cpu"))
    assert "warm_up" in made[-1]["curves"]
    assert made[-1]["curves"]["warm_up"] != made[3]["curves"]["warm_up"]
    assert set(dry_run(smoke(name))["quantity"]) >= {"layer pairs", "warm-up steps"}
    ax = gl.figures.accuracy(made, chance=0.1).axes[0]
    assert ax.get_yticklabels()[2].get_text() == "control: layers dealt at random, warm-up"
    assert ax.get_lines()[-2].get_color() == gl.figures.PALETTE["control"]
    assert name in [c.name for c in E.find_condition("untrained-warm-up").controls()]
    assert name in evidence.required("untrained-warm-up", made)
    assert name in evidence.effect(made, "untrained-warm-up").over


@pytest.mark.parametrize("condition", [name for name, c in E.CONDITIONS.items() if c.needs != "lengths"])
def test_every_condition_runs_at_smoke(condition, store):
    record = E.run(smoke(condition, depth=3, epochs=1, warm_up_steps=2), out=store, device="cpu")
    assert record["metrics"]["status"] == "ok"
    assert ("warm_up" in record["curves"]) is E.find_condition(condition).warms_up
    guided = E.find_condition(condition).stays and not condition.endswith("stopped")
    values = [m for m in record["curves"]["training"]["misalignment"] if m is not None]
    assert bool(values) is guided or condition.endswith("stopped")


@pytest.mark.parametrize("experiment", [name for name in E.EXPERIMENTS if name != "deep-fcn"])
@pytest.mark.parametrize("condition", [
    "guide-alone", "base-tuned", "trained", "other-family", "same-family-warm-up", "data-gram",
    "shuffled-stopped", "untrained-noise-fed", "distilled"])
def test_every_experiment_runs_at_smoke(experiment, condition, store):
    config = E.config(experiment, condition=condition, profile="smoke", epochs=1, guide_epochs=1,
                      warm_up_steps=2)
    record = E.run(config, out=store, device="cpu")
    assert record["metrics"]["status"] == "ok"
    assert 0 <= record["metrics"]["test_accuracy"] <= 1
    assert record["metrics"]["chance_loss"] > 0
    assert all(d is not None and d >= 0 for d in record["curves"]["dimension"]["end"])


def test_an_untrained_guide_stays_as_it_is_and_its_layers_are_read(store):
    config = smoke("guide-untrained")
    record = E.run(config, out=store, device="cpu")
    task = E.make_task(config)
    made = E.make_guide_network(config, task)
    network, _ = E.network(config)
    for (name, p), (_, q) in zip(made.named_parameters(), network.named_parameters(), strict=True):
        assert torch.equal(p, q), name
    hidden = gl.analysis.probe_layers(network, task)["accuracy"][1:-1]
    assert record["metrics"]["decoded_accuracy"] == pytest.approx(hidden.mean())
    assert hidden.mean() > record["metrics"]["chance"] + 0.2


def test_a_guide_trained_otherwise_tells_odd_from_even(tmp_path):
    config = smoke("trained-otherwise", guide_epochs=8)
    task = gl.tasks.load("digits", train=config.train, validation=config.validation)
    made = {}
    for name in ("trained", "trained-otherwise"):
        target = E.make_target(config, task)
        guide = runner.make_guide(config, E.find_condition(name), task, target, Store(tmp_path))
        made[name] = guide.networks()[0].eval()
    assert len(list(tmp_path.glob("*.pt"))) == 2  # each in a file of its own
    x, y = task.train
    with torch.no_grad():
        found = {name: net(x).argmax(1) for name, net in made.items()}
    assert set(found["trained-otherwise"].tolist()) == {0, 1}
    assert (found["trained-otherwise"] == y % 2).float().mean() > 0.8
    assert (found["trained"] == y).float().mean() > 0.5


def test_a_teacher_of_a_third_family_is_trained_and_kept_apart(tmp_path):
    config = smoke("distilled-other", guide_epochs=8)
    task = gl.tasks.load("digits", train=config.train, validation=config.validation)
    teachers = {name: runner.make_teacher(config, E.find_condition(name), task, Store(tmp_path)).teacher
                for name in ("distilled", "distilled-other")}
    assert type(teachers["distilled-other"]) is type(make_other(config, task))
    assert type(teachers["distilled-other"]) is not type(teachers["distilled"])
    assert len(list(tmp_path.glob("*.pt"))) == 2
    x, y = task.train
    with torch.no_grad():
        assert (teachers["distilled-other"](x).argmax(1) == y).float().mean() > 0.3


@pytest.mark.parametrize("condition", ["length-gram", "length-gram-stopped"])
def test_lengths_alone_guide_where_sequences_have_several(condition, store):
    made = {"profile": "smoke", "epochs": 1, "condition": condition}
    record = E.run(E.config("copy-paste", **made), out=store, device="cpu")
    assert record["metrics"]["rho"] > 0
    for experiment in ("copy-paste-fixed", "language-model", "deep-fcn"):
        with pytest.raises(ValueError, match=f"{experiment} has no {condition}.*one length"):
            E.config(experiment, **made)


def test_the_networks_are_those_of_the_paper():
    images = SimpleNamespace(input_shape=(3, 32, 32), classes=10)
    small = {"data_hash": "not read", "width": 8, "guide_width": 8, "guide_depth": 0, "guide_heads": 2}
    for experiment, guide, guide_depth in (("deep-fcn", "ResNet", 0), ("wide-fcn", "ResNet", 0),
                                           ("deep-fcn-vit", "ViT", 2)):
        config = E.config(experiment, profile="full", **small | {"guide_depth": guide_depth})
        assert type(E.make_target(config, images)).__name__ == "FCN"
        assert type(E.make_guide_network(config, images)).__name__ == guide

    def sizes(experiment, *names):
        config = E.config(experiment, profile="full", data_hash="not read")
        return tuple(getattr(config, name) for name in names)

    assert sizes("deep-fcn", "depth", "width") == (48, 1024)
    assert sizes("wide-fcn", "depth", "width") == (3, 8192)
    assert sizes("deep-convnet", "depth", "width") == (50, 64)
    assert sizes("copy-paste", "depth", "width", "guide_depth", "guide_heads") == (4, 768, 4, 12)
    assert sizes("language-model", "depth", "width", "guide_depth", "guide_heads") == (4, 512, 4, 16)
    assert sizes("parity", "depth", "width", "heads", "guide_depth") == (1, 64, 4, 1)


def test_images_have_a_residual_base_and_sequences_none_nor_what_has_families():
    for experiment in E.EXPERIMENTS:
        if experiment in ("copy-paste", "copy-paste-fixed", "parity", "language-model", "architectures"):
            with pytest.raises(ValueError, match=f"{experiment} has no base-residual: its target"):
                E.config(experiment, condition="base-residual", profile="smoke")
        else:
            assert E.config(experiment, condition="base-residual", profile="smoke").residual


def test_distillation_of_sequences_counts_scored_places_alone():
    teacher = torch.nn.Embedding(5, 3)
    g = torch.Generator().manual_seed(0)
    x = torch.randint(0, 5, (4, 6), generator=g)  # (n, t)
    logits = torch.randn(4, 6, 3, generator=g)  # (n, t, classes)
    y = torch.randint(0, 3, (4, 6), generator=g)
    y[:, :2] = gl.tasks.IGNORED
    loss = gl.baselines.Distillation(teacher)(logits, x, y)
    taught = teacher(x[:, 2:]).reshape(-1, 3).detach()
    by_hand = gl.baselines.kd_loss(logits[:, 2:].reshape(-1, 3), taught, y[:, 2:].reshape(-1))
    assert loss == pytest.approx(by_hand.item(), rel=1e-6)


@pytest.mark.parametrize("condition", [
    "base", "untrained-warm-up", "trained", "shuffled", "fresh-noise-stopped", "untrained-noise-fed"])
def test_the_same_configuration_gives_the_same_bits(condition):
    config = smoke(condition, depth=3, epochs=2, warm_up_steps=3)
    one, two = (E.run(config, device="cpu") for _ in range(2))
    for part in ("config", "metrics", "curves"):
        assert json.dumps(one[part]) == json.dumps(two[part])
    other = E.run(config.with_(target_seed=99), device="cpu")
    assert other["curves"] != one["curves"]


def test_threads_of_the_process_do_not_matter():
    config = smoke("untrained", depth=3, epochs=1)
    before = torch.get_num_threads()
    results = []
    for n in (1, 2):
        torch.set_num_threads(n)
        results.append(E.run(config, device="cpu")["curves"])
        assert torch.get_num_threads() == n
    torch.set_num_threads(before)
    assert json.dumps(results[0]) == json.dumps(results[1])


def test_config_is_frozen_hashed_and_checked():
    config = smoke()
    with pytest.raises(FrozenInstanceError):
        config.lr = 1.0
    assert smoke().key() == config.key()
    others = (smoke(seed=1), smoke(lr=0.5), smoke("untrained"), config.with_(data_hash="x"))
    assert len({c.key() for c in (config, *others)}) == 5
    for wrong, message in (({"condition": "guided"}, "'guided'"), ({"profile": "huge"}, "'huge'"),
                           ({"regime": "odd"}, "'odd'"),
                           ({"regime": "large"}, "deep-fcn has no regime 'large'"), ({"lrr": 1}, "lrr")):
        with pytest.raises(ValueError, match=message):
            E.config("deep-fcn", **({"profile": "smoke"} | wrong))
    with pytest.raises(ValueError, match="'shallow-fcn'"):
        E.config("shallow-fcn")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"depth": "abc"}, "depth is a whole number, received 'abc': give it as depth=50"),
    ({"depth": 3.0}, "depth is a whole number, received 3.0"),
    ({"lr": "fast"}, "lr is a number, received 'fast'"),
    ({"leak": 1}, "leak is True or False, received 1"),
    ({"norm": 3}, "norm is a word or None, received 3"),
    ({"clip": True}, "clip is a number or None, received True")])
def test_a_setting_of_the_wrong_kind_is_one_line_with_the_repair(wrong, message):
    with pytest.raises(ValueError, match=message):
        smoke(**wrong)


def test_a_whole_number_where_a_number_is_asked_for_names_the_same_run():
    assert smoke(lr=1).key() == smoke(lr=1.0).key() == smoke(lr=np.float32(1.0)).key()
    assert smoke(clip=None).clip is None


def test_profiles_are_checked_and_guessed():
    assert E.seeds("copy-paste") == E.seeds("deep-fcn", regime="overfit") == list(range(20, 30))
    for wrong, message in (("fats", "did you mean 'fast'"), ("Smoke", "did you mean 'smoke'"),
                           ("huge", "choose from smoke, fast, overnight, full, paper")):
        with pytest.raises(ValueError, match=message):
            E.seeds("deep-fcn", profile=wrong)


def test_each_seed_draws_its_own_split():
    made = [E.config(name, seed=seed, train=40) for name in ("deep-fcn", "copy-paste") for seed in (10, 11)]
    assert [c.split_seed for c in made] == [10, 11] * 2
    for first, second in (made[:2], made[2:]):
        assert not torch.equal(*(E.make_task(c).test[0][:5, ..., :5] for c in (first, second)))


def test_shifted_init_starts_every_bias_at_one_and_changes_nothing_else():
    base, shifted = smoke(), smoke("shifted-init")
    assert shifted == base.with_(condition="shifted-init", shift=1.0)
    with pytest.raises(ValueError, match="copy-paste has no shifted-init"):
        E.config("copy-paste", condition="shifted-init", profile="smoke")


def test_base_longer_takes_the_steps_of_a_warm_up_more():
    base, longer = (E.run(smoke(name, depth=2), device="cpu")["metrics"] for name in ("base", "base-longer"))
    warmed_up = E.run(smoke("untrained-warm-up", depth=2), device="cpu")["metrics"]
    spare = smoke().train // smoke().batch_size  # an epoch is begun for what is left of a step
    assert 0 <= longer["steps"] - base["steps"] - warmed_up["warm_up_steps"] <= spare
    assert smoke("base-longer", epochs=5).epochs == 5


def test_the_same_family_of_the_deep_net_has_features_that_tell_examples_apart():
    """As in eval, BatchNorm of an untrained net does nothing: after 50 layers all examples look alike.

    Such a control is no guide.
    """
    config = E.config("deep-fcn", condition="same-family", seed=10)
    task = E.make_task(config)
    assert config.guide_norm == "batch"
    spread = {}
    for norm in ("batch", "running"):
        target = E.make_target(config, task)
        condition = E.find_condition("same-family")
        guide = runner.make_guide(config.with_(guide_norm=norm), condition, task, target, None)
        found = []
        call = gl.guidance.Call((task.train[0][:64],), {})
        guide.run(call, lambda o, found=found: found.append(o.x))
        x = found[-2].flatten(1).double()  # (n, p), of the last hidden layer
        spread[norm] = float((x - x.mean(0)).norm() / x.norm())
    assert spread["batch"] > 0.1 > 1e-6 > spread["running"]


def test_a_configuration_reads_no_data(monkeypatch):
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    monkeypatch.setattr(gl.tasks, "fingerprint", None)
    made = E.config("deep-fcn", profile="full")
    assert made.data == "cifar10"
    assert made.data_hash == ""
    assert made == E.config("deep-fcn", profile="full")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"similarity": "cca"}, "no similarity 'cca'"), ({"learning_rate": 0.1}, "did you mean 'lr'"),
    ({"bach_size": 8}, "no setting 'bach_size', did you mean 'batch_size'"),
    ({"match": "deapth"}, "no match 'deapth', did you mean 'depth'"),
    ({"reduce": "max"}, "no reduce 'max'"), ({"layers": "middle-3"}, "received 'middle-3'"),
    ({"layers": "first-0"}, "received 'first-0'"), ({"optimizer": "lion"}, "no optimizer 'lion'"),
    ({"schedule": "cosin"}, "did you mean 'cosine'"), ({"norm": "group"}, "no norm 'group'"),
    ({"init": "xavier"}, "no init 'xavier'"), ({"guide_norm": "eval"}, "no guide_norm 'eval'"),
    ({"similarity": "sp", "debiased": True}, "debiased")])
def test_every_choice_is_checked_before_anything_is_read_or_trained(wrong, message):
    with pytest.raises(ValueError, match=message):
        smoke(**wrong)
    assert smoke(norm=None, schedule=None).norm is None


@dataclass(frozen=True, kw_only=True)
class Tomorrow(E.Config):
    """The configuration with a field that is added later."""

    momentum: float = field(default=0.9, metadata={"since": 2})


def test_a_field_that_is_added_leaves_every_kept_record_where_it_is():
    kept = sorted((RESULTS / "fast").glob("*.json"))
    assert len(kept) > 100
    for path in kept:
        facts = records.read(path)["config"]
        assert path.name.endswith(f"-{E.Config(**facts).key()}.json"), path.name
        assert path.name.endswith(f"-{Tomorrow(**facts).key()}.json"), path.name
    assert Tomorrow(**facts, momentum=0.8).key() != Tomorrow(**facts).key()


def test_a_recipe_belongs_to_one_experiment(monkeypatch):
    monkeypatch.setitem(CATALOGUE, "parity", replace(CATALOGUE["parity"], recipe=99))
    assert E.config("parity").recipe == 99
    assert E.config("deep-fcn").recipe == 4


def test_seeds_of_target_guide_order_dropout_and_noise_are_apart():
    config = smoke(seed=7)
    streams = ("target_seed", "guide_seed", "order_seed", "dropout_seed", "noise_seed")
    assert len({getattr(config, name) for name in streams}) == 5


def test_a_record_is_reused_and_recomputed_when_asked(tmp_path):
    config = smoke(depth=2, epochs=1)
    first = E.run(config, out=tmp_path, device="cpu")
    path = records.path_of(config, tmp_path)
    assert path.exists()
    assert set(first) == set(records.PARTS)
    edited = first | {"duration_s": -1.0}
    records.write(edited, path)
    assert E.run(config, out=tmp_path, device="cpu")["duration_s"] == -1.0
    assert E.run(config, out=tmp_path, device="cpu", recompute=True)["duration_s"] >= 0


def test_records_are_strict_json_and_damage_is_named(tmp_path):
    path = records.write({"a": float("nan"), "b": [float("inf"), 1.0]}, tmp_path / "x.json")
    assert json.loads(path.read_text()) == {"a": None, "b": [None, 1.0]}
    with pytest.raises(ValueError, match="x.json is not a run record"):
        records.read(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="x.json is not JSON"):
        records.read(path)
    assert list(tmp_path.glob("*.part")) == []


def test_tables_over_records():
    def record(condition, seed, value):
        config = {"experiment": "deep-fcn", "condition": condition, "profile": "smoke",
                  "regime": "untrainable", "seed": seed}
        return {"config": config, "metrics": {"test_accuracy": value, "n_test": 10},
                "environment": {"device": "cpu"}, "duration_s": 1.0}

    made = [record("base", s, v) for s, v in enumerate((0.1, 0.2, 0.3))]
    made += [record("untrained", s, v) for s, v in enumerate((0.5, 0.7, 0.6))]
    table = evidence.summary(made).set_index("condition")
    assert table.loc["base", "mean"] == pytest.approx(0.2)
    assert table.loc["base", "seeds"] == 3
    assert table.loc["base", "high"] - 0.2 == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-5)
    assert evidence.difference(made, "untrained", "base")[0] == pytest.approx(0.4)
    assert len(evidence.results(made)) == 6
    with pytest.raises(ValueError, match="share 3 seeds"):
        evidence.summary(made + made[:1])


def test_grid_keeps_the_order_reuses_and_survives_failures(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIDELIB_PROGRESS", str(tmp_path / "progress.json"))
    good = [smoke(depth=2, epochs=1, seed=s) for s in (1, 0)]
    found = E.run_grid(good + good[:1], out=tmp_path, jobs=1, device="cpu")
    assert [r["config"]["seed"] for r in found] == [1, 0, 1]
    assert progress_of(tmp_path / "progress.json")["done"] == 3
    bad = good[0].with_(layers="middle-3", condition="untrained")
    more = smoke(depth=2, epochs=1, seed=5)
    with pytest.raises(RuntimeError, match=r"1 of 2 runs failed.*\n.*middle-3"):
        E.run_grid([bad, more], out=tmp_path, jobs=1, device="cpu")
    assert records.path_of(more, tmp_path).exists()


def test_two_processes_at_a_time_give_the_same_records(tmp_path):
    configs = [smoke("untrained-warm-up", depth=2, epochs=1, warm_up_steps=2, seed=s) for s in (0, 1)]
    parallel = E.run_grid(configs, out=tmp_path, jobs=2, device="cpu")
    for config, record in zip(configs, parallel, strict=True):
        alone = json.loads(json.dumps(E.run(config, device="cpu")))
        found, wanted = (json.dumps(r["metrics"], sort_keys=True) for r in (record, alone))
        assert found == wanted


def test_trained_guide_is_kept_and_changes_no_bit(tmp_path):
    config = smoke("trained", depth=2, epochs=1)
    fresh = E.run(config, device="cpu")
    records_made = [E.run(config, out=tmp_path, device="cpu")]
    (path,) = (tmp_path / "guides").glob("*.pt")
    weights = path.read_bytes()
    records.path_of(config, tmp_path).unlink()
    records_made.append(E.run(config, out=tmp_path, device="cpu"))  # it finds the weights of the first
    assert path.read_bytes() == weights
    path.write_bytes(b"damaged")
    records_made.append(E.run(config, out=tmp_path, device="cpu", recompute=True))  # and this makes them anew
    assert path.read_bytes() == weights
    for record in records_made:
        assert json.loads(json.dumps(fresh["metrics"])) == record["metrics"]


def test_a_guide_whose_own_training_diverges_is_named_and_not_kept(tmp_path):
    config = smoke("trained", depth=2, epochs=1, guide_lr=1e6, optimizer="sgd")
    with pytest.raises(ValueError, match="the guide's own training diverged at guide_lr=1e.06"):
        E.run(config, out=tmp_path, device="cpu")
    assert not list(tmp_path.rglob("*.pt"))


def test_a_network_made_anew_is_in_eval_mode_and_answers_as_its_record_says():
    config = smoke(depth=2, epochs=2)
    net, task = E.network(config, device="cpu")
    assert not any(module.training for module in net.modules())
    with torch.no_grad():
        x, y = task.test
        accuracy = (net(x).argmax(1) == y).float().mean().item()
    record = E.run(config, device="cpu")
    assert accuracy == pytest.approx(record["curves"]["training"]["test_accuracy"][-1])


@pytest.mark.parametrize(("copies", "steps"), [(0, 39), (2, 39), (1, 21)])
def test_images_count_as_often_as_they_are_placed(copies, steps):
    made = smoke(data="placed-digits", train=200, validation=50, canvas=16, copies=copies, batch_size=32)
    found = dict(dry_run(made).itertuples(index=False))["steps"]
    assert found == steps == E.run(made, device="cpu")["metrics"]["steps"]


def test_controls_take_the_pairs_of_the_guide():
    config = smoke("untrained")
    task = gl.tasks.load("digits", train=config.train, validation=config.validation)
    plans = {}
    for name in ("untrained", "trained", "identity", "data-gram", "shuffled", "fresh-noise"):
        target = E.make_target(config, task)
        guide = runner.make_guide(config.with_(guide_epochs=1), E.find_condition(name), task, target, None)
        with gl.guide(target, guide) as handle:
            plan = handle.plan(task.train[0][:16]).query("reason == ''")
            plans[name] = plan[["target", "guide"]].values.tolist()
    assert all(plan == plans["untrained"] for plan in plans.values())


@pytest.mark.parametrize("name", [path.stem for path in sorted(GOLDEN.glob("*.json"))])
def test_golden_smoke_records(name):
    """A changed number without a raised recipe fails.

    Other processors round otherwise, so a few test images may differ.
    """
    golden = records.read(GOLDEN / f"{name}.json")
    experiment, condition = golden["config"]["experiment"], golden["config"]["condition"]
    config = E.config(experiment, condition=condition, profile="smoke")
    assert golden["config"] == config.whole().facts(), \
        "settings changed: raise the experiment's recipe and make its golden records again"
    found = json.loads(json.dumps(E.run(config, device="cpu")))
    for metric, value in golden["metrics"].items():
        tolerance = 1.0 if "perplexity" in metric else 0.04
        wanted = pytest.approx(value, abs=tolerance, rel=0.02) if isinstance(value, float) else value
        assert found["metrics"][metric] == wanted, metric
    first = golden["curves"]["training"]["loss"][0]
    assert found["curves"]["training"]["loss"][0] == pytest.approx(first, rel=1e-3)


def test_every_experiment_has_a_golden_record():
    kept = {path.name.removesuffix("-untrained.json") for path in GOLDEN.glob("*-untrained.json")}
    assert kept >= set(E.EXPERIMENTS) - {"deep-fcn"}
    assert (GOLDEN / "deep-fcn-base.json").exists()


def test_golden_tolerance_can_fail():
    golden = records.read(GOLDEN / "deep-fcn-base.json")
    other = E.run(smoke(lr=2e-3), device="cpu")
    first = golden["curves"]["training"]["loss"][0]
    assert other["curves"]["training"]["loss"][0] != pytest.approx(first, rel=1e-3)


def test_devices_are_found_or_named():
    assert E.find_device("cpu").type == "cpu"
    assert E.find_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match="'abacus'"):
        E.find_device("abacus")


def test_what_is_kept_and_what_was_computed_is_told_apart(tmp_path):
    configs = [smoke(depth=2, epochs=1, seed=s) for s in (20, 21, 22)]
    kept, out = tmp_path / "results", tmp_path / "out"
    E.run(configs[0], out=kept / "smoke", device="cpu")
    found, missing = E.collect(configs[:1], out=out, make=False, kept=kept)
    live = E.run_grid(configs[1:2], out=out, jobs=1, device="cpu")
    shown = found + live
    assert kept_among(shown) == found
    assert missing == []
    assert evidence.origin(found, live) == (
        "*Runs shown that are records kept with the project: 1; computed here: 1.*")
    assert evidence.origin(shown, missing=configs[2:]) == (
        "*Runs shown that are records kept with the project: 1; computed here: 1; "
        "missing at this profile: base without a guide (1 seed).*")
    own, _ = E.collect(configs[1:2], out=out, make=False, kept=kept)  # from the reader's own folder
    assert kept_among(own) == []


def test_the_kept_record_of_a_run_is_found_by_its_settings(tmp_path):
    made = E.run(smoke(depth=2, epochs=1), device="cpu")
    assert E.kept_record(made, kept=tmp_path) is None
    kept = E.run(smoke(depth=2, epochs=1), out=tmp_path / "smoke", device="cpu")
    assert E.kept_record(made, kept=tmp_path) == kept
    assert E.kept_record(E.run(smoke(depth=3, epochs=1), device="cpu"), kept=tmp_path) is None


def test_collect_takes_what_is_kept_makes_the_rest_or_says_what_is_missing(tmp_path, monkeypatch):
    configs = [smoke(depth=2, epochs=1, seed=s) for s in (0, 1)]
    kept, out = tmp_path / "results", tmp_path / "out"
    mark = E.run(configs[0], out=kept / "smoke", device="cpu") | {"duration_s": -1.0}
    records.write(mark, records.path_of(configs[0], kept / "smoke"))
    found, missing = E.collect(configs, out=out, make=False, kept=kept)
    assert [r["duration_s"] for r in found] == [-1.0]
    assert missing == configs[1:]
    found, missing = E.collect(configs[::-1], out=out, make=True, kept=kept, jobs=1, device="cpu")
    assert [r["config"]["seed"] for r in found] == [1, 0]
    assert found[1]["duration_s"] == -1.0
    assert missing == []
    monkeypatch.setenv("GUIDELIB_RECOMPUTE", "1")
    found, missing = E.collect(configs, out=out, make=False, kept=kept, jobs=1, device="cpu")
    assert len(found) == 2
    assert all(r["duration_s"] >= 0 for r in found)
    assert missing == []


@pytest.mark.parametrize("condition", ["base", "untrained-warm-up", "guide-alone"])
def test_the_network_of_a_run_is_the_one_its_record_tells_of(condition):
    config = smoke(condition)
    net, task = E.network(config, device="cpu")
    loss, accuracy = gl.training.evaluate(net, task, "validation")
    curves = E.run(config, device="cpu")["curves"]["training"]
    assert (loss, accuracy) == (curves["validation_loss"][-1], curves["validation_accuracy"][-1])
