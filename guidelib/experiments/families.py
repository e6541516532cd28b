"""The task and the networks of a run, as its experiment's file in the catalogue has them."""

from dataclasses import asdict

from ..tasks import load, options_of
from .catalogue import CATALOGUE


def make_task(config):
    """The task of a Config."""
    return load(config.data, **task_options(config))


def task_options(config):
    """What a Config says of its task: the settings that this task has; 0 leaves the task's own."""
    settings = asdict(config)
    names = [name for name in options_of(config.data) if name in settings]
    return {name: settings[name] for name in names if settings[name] or name == "split_seed"}


def make_target(config, task):
    """The target of an experiment, from its own seed.

    >>> from guidelib import tasks
    >>> from guidelib.experiments import config
    >>> type(make_target(config("deep-fcn", profile="smoke"), tasks.digits())).__name__
    'FCN'
    """
    return CATALOGUE[config.experiment].target(config, task, config.target_seed)


def make_guide_network(config, task):
    """An untrained network of the guide's family, from the guide's seed."""
    return CATALOGUE[config.experiment].guide(config, task, config.guide_seed)


def make_other(config, task):
    """An untrained network of a third family, neither the target's nor the guide's, from the guide's seed."""
    return CATALOGUE[config.experiment].other(config, task, config.guide_seed)
