"""Inside Lightning and transformers: the parameters of a plain loop, hooks that come off, resuming."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

import guidelib as gl

OPTIONS = {"weight": 0.7, "reduce": "mean"}
BATCHES, SIZE = 4, 8
X, Y = torch.randn(BATCHES * SIZE, 6, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 3


def net(seed=0):
    """The target with seed 0, guides with others; (n, 6) to (n, 3)."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))


def plain(*, steps=BATCHES, accumulate=1, guide=None, **options):
    """The target after a loop of one's own: the first so many batches, again and again."""
    target = net()
    optimizer = torch.optim.SGD(target.parameters(), lr=0.1)
    with gl.guide(target, guide or net(1), **OPTIONS | options) as g:
        for step in range(steps):
            rows = torch.arange(SIZE) + SIZE * (step % BATCHES)
            loss = nn.functional.cross_entropy(target(X[rows]), Y[rows]) + g.loss()
            (loss / accumulate).backward()
            if (step + 1) % accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
    return target


def apart(a, b):
    return max((p - q).abs().max().item() for p, q in zip(a.parameters(), b.parameters(), strict=True))


def hooks(model):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_the_oracle_can_tell_a_guide_from_none_and_a_weight_from_another():
    assert apart(plain(), plain(weight=0.0)) > 1e-3
    assert apart(plain(), plain(weight=0.8)) > 1e-4


@pytest.mark.parametrize(("package", "made"), [
    ("lightning", "GuidanceCallback(guide=None)"), ("transformers", "GuidedTrainer(guide=None)"),
    ("accelerate", "GuidedTrainer(guide=None)")])
def test_without_the_package_the_error_says_what_to_install(package, made):
    code = (f"import sys; sys.modules[{package!r}] = None; from guidelib import integrations; "
            f"integrations.{made}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "ImportError" in done.stderr and package in done.stderr, done.stderr
    assert "pip install 'guidelib[integrations]'" in done.stderr


def test_importing_the_wing_imports_neither():
    code = ("import sys, guidelib.integrations; "
            "print({'lightning', 'transformers', 'accelerate'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stderr


# Lightning

@pytest.fixture
def L():
    return pytest.importorskip("lightning.pytorch")


@pytest.fixture
def fit(L, tmp_path):
    """Fit a module to all batches in their order, with these callbacks; returns (module, trainer)."""

    class Lit(L.LightningModule):
        returned = staticmethod(lambda loss: loss)

        def __init__(self):
            super().__init__()
            self.net = net()

        def training_step(self, batch, batch_idx):
            x, y = batch
            return self.returned(nn.functional.cross_entropy(self.net(x), y))

        def validation_step(self, batch, batch_idx):
            self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    def run(*callbacks, returned=None, module=None, ckpt_path=None, val=True, manual=False, **options):
        module = module or Lit()
        if returned is not None:
            module.returned = returned
        if manual:
            module.automatic_optimization = False
        options = {"max_epochs": 1} | options
        trainer = L.Trainer(callbacks=list(callbacks), logger=False, accelerator="cpu", devices=1,
                            enable_progress_bar=False, enable_model_summary=False,
                            enable_checkpointing=False, default_root_dir=tmp_path, **options)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=SIZE)
        trainer.fit(module, loader, loader if val else None, ckpt_path=ckpt_path)
        return module, trainer

    return run


@pytest.fixture
def callback(L):
    from guidelib.integrations import GuidanceCallback

    def make(guide=None, target="net", **options):
        return GuidanceCallback(guide=guide or net(1), target=target, **OPTIONS | options)

    return make


@pytest.mark.filterwarnings("ignore")
class TestLightning:
    def test_parameters_are_those_of_a_plain_loop(self, fit, callback):
        module, _ = fit(callback())
        assert apart(module.net, plain()) <= 1e-6

    def test_so_they_are_where_the_step_returns_a_dict(self, fit, callback):
        module, _ = fit(callback(), returned=lambda loss: {"loss": loss, "more": 1})
        assert apart(module.net, plain()) <= 1e-6

    def test_accumulated_batches_divide_both_terms(self, fit, callback):
        module, _ = fit(callback(), accumulate_grad_batches=2)
        assert apart(module.net, plain(accumulate=2)) <= 1e-6

    def test_both_terms_are_logged(self, fit, callback):
        made = callback()
        _, trainer = fit(made)
        mean = made.guidance.misalignment.mean()
        assert torch.isclose(trainer.callback_metrics["misalignment"], mean)
        assert torch.isclose(trainer.callback_metrics["guidance_loss"], 0.7 * mean)
        assert len(made.guidance.report()) == 2

    def test_validation_with_gradients_does_not_count(self, fit, callback):
        module, _ = fit(callback(), max_epochs=2, inference_mode=False, val_check_interval=2)
        assert apart(module.net, plain(steps=2 * BATCHES)) <= 1e-6

        class Open(type(module)):
            def validation_step(self, batch, batch_idx):
                with torch.enable_grad():
                    self.net(batch[0])

        module, _ = fit(callback(), module=Open(), inference_mode=False)
        assert apart(module.net, plain()) <= 1e-6

    def test_nothing_is_left_on_the_module(self, fit, callback):
        module, _ = fit(callback())
        assert hooks(module.net) == 0 and "training_step" not in vars(module)
        assert apart(copy.deepcopy(module.net), pickle.loads(pickle.dumps(module.net))) == 0

    def test_nor_after_a_training_that_failed(self, fit, callback):
        seen = []

        def fails(loss):
            seen.append(loss)
            if len(seen) == 2:
                raise ZeroDivisionError("planted")
            return loss

        made = callback()
        with pytest.raises(ZeroDivisionError, match="planted"):
            fit(made, returned=fails)
        assert hooks(made.guidance.target) == 0 and made.guidance.step == 1

    def test_a_batch_left_out_is_left_out_of_both(self, fit, callback):
        made = callback()
        fit(made, returned=lambda loss: None)
        assert made.guidance.step == 0

    def test_a_fit_from_a_checkpoint_goes_on(self, fit, callback, tmp_path):
        """The control draws anew at each step, so that only a stream that goes on gives the same end."""
        control = lambda: gl.controls.shuffled(net(1), seed=3)  # noqa: E731
        whole = plain(steps=2 * BATCHES, guide=control(), stop_after=6)
        made = callback(control(), stop_after=6)
        _, trainer = fit(made)
        trainer.save_checkpoint(tmp_path / "half.ckpt")
        again = callback(control(), stop_after=6)
        module, _ = fit(again, max_epochs=2, ckpt_path=tmp_path / "half.ckpt")
        assert apart(module.net, whole) <= 1e-6
        assert again.guidance.step == 6

    def test_another_fit_begins_at_the_start(self, fit, callback):
        made = callback()
        fit(made)
        fit(made)
        assert made.guidance.step == BATCHES

    @pytest.mark.parametrize(("wrong", "said"), [
        ({"target": "nett"}, r"no submodule 'nett'; it has \['net'\]"),
        ({"manual": True}, "optimises by hand"), ({"twice": True}, "one guide at a time")])
    def test_what_cannot_be_is_an_error_that_says_the_repair(self, fit, callback, wrong, said):
        made = [callback(target=wrong.get("target", "net"))]
        if "twice" in wrong:
            made.append(callback(target="net.0"))
        with pytest.raises(ValueError, match=said):
            fit(*made, manual="manual" in wrong)


# transformers

class Model(nn.Module):
    """The target as a Trainer wants it: labels in, the loss out."""

    def __init__(self):
        super().__init__()
        self.net = net()

    def forward(self, x, labels=None):
        logits = self.net(x)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


class Counting(Model):
    """Its loss is over the examples of all batches of a step, as a language model's is over tokens."""

    def forward(self, x, labels=None, **kwargs):
        logits = self.net(x)
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
        return {"loss": loss / kwargs.get("num_items_in_batch", len(x)), "logits": logits}


@pytest.fixture
def trainer(tmp_path):
    pytest.importorskip("accelerate")
    transformers = pytest.importorskip("transformers")
    from guidelib.integrations import GuidedTrainer

    def make(model=None, guide=None, target="net", args=(), options=(), **more):
        given = {"max_grad_norm": 0.0, "lr_scheduler_type": "constant", "learning_rate": 0.1, "optim": "sgd",
                 "train_sampling_strategy": "sequential", "per_device_train_batch_size": SIZE,
                 "use_cpu": True, "num_train_epochs": 1, "report_to": [], "disable_tqdm": True,
                 "save_strategy": "no", "logging_steps": 1, "output_dir": str(tmp_path)}
        rows = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]
        model = None if model is False else model or Model()
        return GuidedTrainer(model=model, args=transformers.TrainingArguments(**given | dict(args)),
                             train_dataset=rows, eval_dataset=rows, guide=guide or net(1), target=target,
                             options=OPTIONS | dict(options), **more)

    return make


@pytest.mark.filterwarnings("ignore")
class TestTrainer:
    def test_parameters_are_those_of_a_plain_loop(self, trainer):
        made = trainer()
        made.train()
        assert apart(made.model.net, plain()) <= 1e-6

    @pytest.mark.parametrize("model", [Model, Counting])
    def test_accumulated_batches_divide_both_terms(self, trainer, model):
        made = trainer(model(), args={"gradient_accumulation_steps": 2})
        assert made.model_accepts_loss_kwargs == (model is Counting)
        made.train()
        assert apart(made.model.net, plain(accumulate=2)) <= 1e-6

    def test_the_misalignment_is_logged_and_evaluation_is_the_models_own(self, trainer):
        made = trainer(args={"eval_strategy": "steps", "eval_steps": 1})
        made.train()
        steps = [entry for entry in made.state.log_history if "loss" in entry]
        assert steps[-1]["misalignment"] == pytest.approx(made.guidance.misalignment.mean().item())
        with torch.no_grad():
            right = nn.functional.cross_entropy(made.model.net(X), Y).item()
        assert made.evaluate()["eval_loss"] == pytest.approx(right, abs=1e-6)
        assert apart(made.model.net, plain()) <= 1e-6

    def test_nothing_is_left_on_the_model_also_after_a_failure(self, trainer):
        made = trainer()
        made.train()
        assert hooks(made.model) == 0
        with pytest.raises(ValueError, match="no target layer that ran matches 'nought'"):
            trainer(made.model, options={"layers": {"nought": "0"}}).train()
        assert hooks(made.model) == 0

    @pytest.mark.parametrize("resume", [True, "path"])
    def test_a_training_that_is_resumed_goes_on(self, trainer, tmp_path, resume):
        control = lambda: gl.controls.shuffled(net(1), seed=3)  # noqa: E731
        whole = plain(steps=2 * BATCHES, guide=control(), stop_after=6)
        args = {"save_strategy": "epoch"}
        trainer(guide=control(), options={"stop_after": 6}, args=args).train()
        again = trainer(guide=control(), options={"stop_after": 6}, args=args | {"num_train_epochs": 2})
        again.train(resume if resume is True else str(tmp_path / f"checkpoint-{BATCHES}"))
        assert apart(again.model.net, whole) <= 1e-6
        assert again.guidance.step == 6

    def test_from_a_training_without_a_guide_guidance_begins_at_step_0(self, trainer, tmp_path):
        args = {"save_strategy": "epoch"}
        trainer(args=args).train()
        (tmp_path / f"checkpoint-{BATCHES}" / "guidance.pt").unlink()
        again = trainer(args=args | {"num_train_epochs": 2})
        with pytest.warns(UserWarning, match="made without guidance, which begins at step 0"):
            again.train(True)
        assert again.guidance.step == BATCHES

    def test_no_misalignment_is_logged_once_the_guide_is_let_go(self, trainer):
        made = trainer(options={"stop_after": 2}, args={"logging_steps": 1})
        made.train()
        told = ["misalignment" in entry for entry in made.state.log_history if "loss" in entry]
        assert told == [True, True] + [False] * (BATCHES - 2)

    def test_what_cannot_be_is_an_error_that_says_the_repair(self, trainer):
        with pytest.raises(ValueError, match=r"no submodule 'nett'; it has \['net'\]"):
            trainer(target="nett")
        with pytest.raises(ValueError, match="pass model="):
            trainer(model=False, model_init=Model)
