"""How answers to exercises are judged in the tests of each tutorial."""

import re

from guidelib.course.exercises import BLANK


def judged(found, said):
    """A right answer is told so, where `said` is ""; of others the message holds what `said` matches."""
    assert found.right == (said == "")
    if said:
        assert re.search(said, found.text), found.text
    assert BLANK not in found.text
