"""What a claim is: words, numbers as printed, and which runs test it."""

from dataclasses import dataclass, field

from ..experiments import CONDITIONS


@dataclass(frozen=True)
class Claim:
    """One claim.

    It is tested by runs of `experiment` in `condition` with exactly the `overrides`, in `regime` ("": every
    one with runs). against: a condition to compare with, with exactly `against_overrides`; "": the fair
    base. worse: the claim is one of harm. needs: how the base must fail for the claim to be about anything.
    reason: why no experiment can test it, if none can.

    >>> from guidelib.evidence.paper import CLAIMS
    >>> claim = CLAIMS[0]
    >>> claim.source, claim.experiment, claim.condition, claim.controls[:2]
    ('table 2', 'copy-paste', 'trained', ('identity', 'data-gram'))
    """

    id: str
    source: str
    statement: str
    paper: str
    experiment: str = ""
    condition: str = ""
    regime: str = ""
    overrides: dict = field(default_factory=dict)
    metric: str = "test_accuracy"
    against: str = ""
    against_overrides: dict = field(default_factory=dict)
    worse: bool = False
    needs: str = ""
    reason: str = ""

    @property
    def controls(self):
        """The controls of a guided condition, at its own timing.

        None for other conditions, for harm, or for how well a target aligns.
        """
        if self.condition not in CONDITIONS or self.worse or self.metric == "misalignment":
            return ()
        return tuple(c.name for c in CONDITIONS[self.condition].controls() if c.name != self.against)


def untested(id, source, statement, reason, paper=""):
    """A claim that is listed although no experiment can test it."""
    return Claim(id, source, statement, paper, reason=reason)
