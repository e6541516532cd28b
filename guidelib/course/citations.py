"""Citations: works named in a notebook's text become links to the list of references, in the book alone.

In JupyterLab and on GitHub the same text stands as it is written, author and year.
"""

import re
from functools import cache

from .checkout import checkout

# Author, perhaps more of them, and then the year in brackets: "Saxe et al. (2014)".
NAMED = re.compile(r"(?P<name>[A-Z]\w+)(?P<more> et al\.| and [A-Z]\w+)? \((?P<year>(?:19|20)\d\d)\)")
LIST = "**References.**"  # begins the paragraph of a notebook that lists its references
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@cache
def works(path=None):
    """{key: (first author's last name, year)} of a .bib file, by default the book's.

    >>> works()["saxe2014"]
    ('Saxe', '2014')
    """
    from pybtex.database import parse_file

    entries = parse_file(str(path or checkout() / "book" / "references.bib")).entries
    return {key: (str(entry.persons["author"][0].last_names[0]), entry.fields["year"])
            for key, entry in entries.items()}


def listed(text, known):
    """Keys of the works that a list names, in its order: author first, year in the same sentence or bracket.

    >>> listed("Hinton et al., *Distilling* (2015). Yang et al. (2019).", {"h": ("Hinton", "2015"),
    ...        "y": ("Yang", "2019"), "z": ("Hinton", "2019")})
    ['h', 'y']
    """
    found = []
    for year in YEAR.finditer(text):
        before = text[:year.start()]
        places = {key: before.rfind(name) for key, (name, when) in known.items() if when == year[0]}
        nearest = max(places, key=places.get, default=None)
        if nearest is None or places[nearest] < 0:
            raise ValueError(f"no work of {year[0]} in references.bib is named in {before[-80:]!r}: add it "
                             "there")
        if nearest not in found:
            found.append(nearest)
    return found


def with_citations(text, known):
    """Text of a cell with its citations as roles of Sphinx: those in brackets, and a list's works after it.

    >>> with_citations("As in Saxe et al. (2014).", {"saxe2014": ("Saxe", "2014")})
    'As in {cite:t}`saxe2014`.'
    """
    before, mark, after = text.partition(LIST)
    paragraph, gap, rest = after.partition("\n\n")
    keys = {author: key for key, author in known.items()}

    def role(match):
        key = keys.get((match["name"], match["year"]))
        return f"{{cite:t}}`{key}`" if key else match[0]

    before, rest = (NAMED.sub(role, part) for part in (before, rest))
    if not mark:
        return before
    in_full = f" In full: {{cite:p}}`{','.join(listed(paragraph, known))}`."
    return f"{before}{mark}{paragraph}{in_full}{gap}{rest}"
