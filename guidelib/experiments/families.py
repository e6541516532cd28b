"""The networks of a run, as its experiment's file in the catalogue builds them."""

from .catalogue import CATALOGUE


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
