"""Runs that a tutorial shows, and those that it would show and that are missing."""


class Runs(list):
    """Records, and beside them in `missing` the Configs that have none; sums and parts keep both.

    A sum leaves out what is there already, so that a cell may be run again.

    >>> runs = Runs([{"config": {"condition": "base"}}]) + Runs([{"config": {"condition": "untrained"}}])
    >>> len(runs), len(runs.of("base")), len(runs + runs)
    (2, 1, 2)
    """

    def __init__(self, records=(), missing=()):
        super().__init__(records)
        self.missing = list(missing)

    def __add__(self, other):
        known = [r["config"] for r in self]
        new = [r for r in other if r["config"] not in known]
        return Runs([*self, *new], [*self.missing, *(c for c in other.missing if c not in self.missing)])

    __iadd__ = __add__

    def of(self, *conditions):
        """The runs of these conditions."""
        return Runs([r for r in self if r["config"]["condition"] in conditions],
                    [c for c in self.missing if c.condition in conditions])
