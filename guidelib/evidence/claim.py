"""What a claim is: words, numbers as printed, and which runs test it."""

from dataclasses import dataclass, field

from ..experiments import CONDITIONS
from .metrics import METRICS


@dataclass(frozen=True)
class Claim:
    """One claim.

    It is tested by runs of `experiment` in `condition` with exactly the `overrides`, in `regime` ("": the one
    that it is about, "overfit" or "untrainable", or where that has no runs any other). against: a condition
    to compare with, with exactly `against_overrides`; "": the base at its best rate, after as many steps.
    worse: the claim is one of harm; equal: it is one of no difference, against chance or 0 under a metric
    that is a difference itself. overfitting: it is about overfitting, and needs a base that does. primary:
    the one contrast of its experiment that was named before the runs. restates: the id of a claim that says
    the same. alike: it is that runs of `condition` and of this one err on the same examples, more than those
    of alike_against do, by default `condition` and the base. study: whether it is about the map of
    architectures, and no single contrast. reason: why no experiment here tests it.

    >>> from guidelib.evidence.paper import CLAIMS
    >>> CLAIMS[0].source, CLAIMS[0].experiment, CLAIMS[0].condition, CLAIMS[0].explains
    ('table 2', 'copy-paste', 'trained', False)
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
    equal: bool = False
    overfitting: bool = False
    primary: bool = False
    restates: str = ""
    alike: str = ""
    alike_against: tuple = ()
    study: bool = False
    reason: str = ""

    @property
    def explains(self):
        """Whether it is about what makes a guide help, so that the guide has to help first."""
        if self.equal or METRICS[self.metric].alignment:
            return False
        return (self.against in CONDITIONS and CONDITIONS[self.against].role in ("guided", "control")
                and CONDITIONS[self.condition].role == "guided")


def untested(id, source, statement, reason, paper=""):
    """A claim that is listed although no experiment can test it."""
    return Claim(id, source, statement, paper, reason=reason)
