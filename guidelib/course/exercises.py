"""Exercises: a stub is its solution with blanks in it, and a check answers a learner in words.

A notebook holds of each exercise its text, a stub, hints and the solution, collapsed; tags tell them apart.
"""

import copy
import re
from dataclasses import dataclass
from functools import wraps
from types import CodeType

BLANK = "# fill in"  # ends each line of a solution that the stub leaves open
FILLED = re.compile(rf"^(?P<before>.*?(?: = |\breturn ))(?P<answer>.*?)(?P<comment>  {BLANK}.*)$")
TO_FILL = f"Fill in each line that says `{BLANK}`, and run the cell again."


@dataclass(frozen=True)
class Judged:
    """What a check found: whether the answer is right, and what the learner is told."""

    right: bool
    text: str

    def _repr_markdown_(self):
        return f"**{'Right.' if self.right else 'Not yet.'}** {self.text}"


def exercise(right):
    """A check of an exercise, from a function(answer) that returns what is wrong with it, in words, or "".

    right: what is said to an answer with which nothing is wrong. The check never fails: it returns a Judged,
    also where a blank is left and where the answer itself raises an error.

    >>> @exercise("An even number has 2 as a factor.")
    ... def even(answer):
    ...     return f"{answer} is odd" if answer % 2 else ""
    >>> even(3).text, even(4).right, even(...).text == TO_FILL
    ('3 is odd', True, True)
    """
    def made(wrong):
        @wraps(wrong)
        def check(answer):
            if blank(answer):
                return Judged(False, TO_FILL)
            try:
                found = wrong(answer)
            except Exception as error:
                return Judged(False, f"Your answer stops with {type(error).__name__}: {error}. "
                                     "Try it on a small case of your own first.")
            return Judged(not found, f"{found[:1].upper()}{found[1:]}" or right)
        return check
    return made


def blank(answer):
    """Whether a blank is left: in a value, inside a collection, or in the code of a function.

    >>> blank(...), blank({"A": "one seed", "B": ...}), blank(lambda x: ...), blank(lambda x: x)
    (True, True, True, False)
    """
    if isinstance(answer, dict):
        return any(map(blank, answer.values()))
    if isinstance(answer, list | tuple | set):
        return any(map(blank, answer))
    code = getattr(answer, "__code__", None)
    return answer is ... or (isinstance(code, CodeType) and ... in code.co_consts)


def stub(solution):
    """The source of a stub: that of its solution, what a learner fills in replaced by an ellipsis.

    ValueError for a solution without a line to fill in.

    >>> print(stub("x = 1\\ny = x + 1  # fill in: the next number"))
    x = 1
    y = ...  # fill in: the next number
    """
    lines = []
    for line in solution.splitlines():
        found = FILLED.match(line)
        lines.append(f"{found['before']}...{found['comment']}" if found else line)
    if lines == solution.splitlines():
        raise ValueError(f"nothing to fill in: end a line with an assignment or a return in {BLANK!r}; got "
                         f"{solution!r}")
    return "\n".join(lines)


def tagged(nb, tag):
    """{name: cell} of a notebook's cells with a tag, whose id is TAG-NAME."""
    found = [cell for cell in nb.cells if tag in cell.metadata.get("tags", [])]
    return {cell.id.removeprefix(f"{tag}-"): cell for cell in found}


def student(nb):
    """A copy of a notebook for students: without the solutions."""
    return without(nb, "solution")


def solved(nb):
    """A copy of a notebook with the solutions in the place of the stubs, in the open."""
    made = without(nb, "stub")
    for cell in tagged(made, "solution").values():
        cell.metadata.pop("jupyter", None)
        cell.metadata["tags"] = ["solution"]
    return made


def without(nb, tag):
    made = copy.deepcopy(nb)
    made.cells = [cell for cell in made.cells if tag not in cell.metadata.get("tags", [])]
    return made
