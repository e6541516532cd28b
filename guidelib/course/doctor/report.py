"""A finding, a list of them, and both as a screen of text and as a table for a notebook."""

import textwrap
from dataclasses import dataclass

STATES = ("ok", "note", "wrong")
WIDTH = 80
LINES = 24
INDENT = " " * 16  # the state and the name stand in front of what was found


@dataclass(frozen=True)
class Finding:
    """What one look at this machine found.

    state: "ok", "note" (it works, but one should know) or "wrong". repair: what to do where it is not ok,
    with commands in backticks. ValueError for another state, and for one that is not ok and has no repair.

    >>> Finding("fonts", "ok", "DejaVu Sans").state
    'ok'
    """

    name: str
    state: str
    found: str
    repair: str = ""

    def __post_init__(self):
        if self.state not in STATES:
            raise ValueError(f"state is one of {', '.join(STATES)}, received {self.state!r}")
        if self.state != "ok" and not self.repair:
            raise ValueError(f"{self.name} is {self.state!r}: say the repair, received {self.repair!r}")


class Findings(list):
    """A list of Finding, with a verdict, a text of one screen and, in a notebook, a table.

    >>> full = Finding("disk", "wrong", "full", "make room")
    >>> found = Findings([Finding("fonts", "ok", "DejaVu Sans"), full])
    >>> found.ready, found.verdict()
    (False, 'Not ready: 1 ok, 0 to note, 1 wrong (disk). The repair stands beside it.')
    >>> print(found.text())
    ok     fonts    DejaVu Sans
    wrong  disk     full
                    -> make room
    <BLANKLINE>
    Not ready: 1 ok, 0 to note, 1 wrong (disk). The repair stands beside it.
    """

    @property
    def ready(self):
        """Whether nothing is wrong."""
        return not self.named("wrong")

    def named(self, state):
        """The names of what is in a state."""
        return [finding.name for finding in self if finding.state == state]

    def verdict(self):
        """One sentence: whether the machine is ready, and what is wrong."""
        ok, notes, wrong = (self.named(state) for state in STATES)
        counts = f"{len(ok)} ok, {len(notes)} to note, {len(wrong)} wrong"
        if not wrong:
            return f"Ready: {counts}."
        beside = "The repair stands beside it." if len(wrong) == 1 else "The repairs stand beside them."
        return f"Not ready: {counts} ({', '.join(wrong)}). {beside}"

    def text(self, *, lines=LINES):
        """Plain text, 80 columns wide and at most so many lines; what is too long for that ends in "..."."""
        end = ["", *textwrap.wrap(self.verdict(), WIDTH)]
        for rows in (4, 3, 2, 1):
            page = []
            for finding in self:
                page += wrapped(finding, rows)
            if len(page) + len(end) <= lines:
                break
        return "\n".join(page + end)

    def _repr_markdown_(self):
        rows = ["| state | what | found | what to do |", "|---|---|---|---|"]
        for f in self:
            state = f.state if f.state == "ok" else f"**{f.state}**"
            cells = [state, f.name, f.found, f.repair]
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join([*rows, "", f"**{self.verdict()}**"])


def wrapped(finding, rows):
    """The lines of a finding: at most `rows` for what was found, and as many for its repair."""
    head = f"{finding.state:7}{finding.name:9}"
    options = {"width": WIDTH, "subsequent_indent": INDENT, "max_lines": rows, "placeholder": " ...",
               "break_on_hyphens": False}
    lines = textwrap.wrap(finding.found, initial_indent=head, **options)
    if finding.repair:
        options["subsequent_indent"] = f"{INDENT}   "
        lines += textwrap.wrap(finding.repair, initial_indent=f"{INDENT}-> ", **options)
    return lines


def guarded(name, look, *, repair):
    """The Finding of a look at something, or, where the look itself breaks, one with the error's words.

    >>> guarded("fonts", lambda: 1 / 0, repair="install matplotlib").found
    'cannot be looked at: ZeroDivisionError: division by zero'
    """
    try:
        return look()
    except Exception as error:  # whatever is broken here, the other findings are wanted
        words = " ".join(str(error).split())
        return Finding(name, "wrong", f"cannot be looked at: {type(error).__name__}: {words}", repair)
