"""Docstrings in the reference: prose as it stands, options as a list, examples and blocks untouched."""

import inspect
import re

ITEM = re.compile(r"(`?\w+`?(?:, `?\w+`?)*): (?=\S)")
CODE = re.compile(r'`([^`]+)`|(?<![^\s(\[{])((?:\w+=)?"[^"\s`]*")(?=[\s.,;:)\]}]|$)')  # `a`, "b", a="b"
SHORTENED = re.compile(r"\b(?:al|eqs?|vs|cf|e\.g|i\.e)\.$")  # a full stop that ends no sentence


def cut(text, mark):
    """The pieces of a text that end in a mark before a blank, marks inside of brackets left alone.

    >>> cut("a: one (two. three). b: four.", ".")
    ['a: one (two. three).', 'b: four.']
    """
    pieces = []
    depth = start = 0
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        ends = letter == mark and depth == 0 and text[i + 1:i + 2] == " "
        if ends and not SHORTENED.search(text[start:i + 1]):
            pieces.append(text[start:i + 1])
            start = i + 2
    return [*pieces, text[start:]]


def names_of(text, parameters):
    """The parameters that a sentence begins with, before its first colon; none if another name is there."""
    begin = ITEM.match(text)
    names = re.findall(r"\w+", begin[1]) if begin else []
    return names if set(names) <= set(parameters) else []


def parts(paragraph, parameters):
    """[(names, text), ...] of a paragraph, in its order: without names prose, with names an item of a list.

    An item is a sentence that begins with parameters and a colon, or a part of it after a semicolon that
    does so too. What follows is prose again: it need not be about that parameter. Brackets that do not
    match leave no safe place to cut, and the paragraph stays whole.

    >>> parts("In place. layers: a list; by: a number. Returns it.", ["layers", "by"])
    [([], 'In place.'), (['layers'], 'a list.'), (['by'], 'a number.'), ([], 'Returns it.')]
    """
    opened, closed = len(re.findall(r"[(\[{]", paragraph)), len(re.findall(r"[)\]}]", paragraph))
    if opened != closed:
        return [([], paragraph)]
    found = []
    for sentence in cut(paragraph, "."):
        inside = bool(names_of(sentence, parameters))
        for clause in cut(sentence, ";") if inside else [sentence]:
            names = names_of(clause, parameters)
            if names:
                found.append((names, clause[ITEM.match(clause).end():]))
            elif found and (inside or not found[-1][0]):
                found[-1] = (found[-1][0], f"{found[-1][1]} {clause}")
            else:
                found.append(([], clause))
    return [(names, re.sub(";$", ".", text)) for names, text in found]


def escaped(text):
    """Prose whose signs mean nothing to reStructuredText, names in backquotes and quoted values as code."""
    pieces = CODE.split(text)  # prose, name, value, prose, ...
    pieces[::3] = [re.sub(r"([\\*|_])", r"\\\1", prose) for prose in pieces[::3]]
    for i in range(1, len(pieces), 3):
        pieces[i:i + 2] = [f"``{pieces[i] or pieces[i + 1]}``", ""]
    return "".join(pieces)


def shown(paragraph, parameters):
    """The lines of reStructuredText for a paragraph."""
    lines = []
    for names, text in parts(paragraph, parameters):
        if names:
            lines += [", ".join(f"``{name}``" for name in names), f"    {escaped(text)}", ""]
        else:
            lines += [escaped(text), ""]
    return lines


def as_markup(lines, parameters=()):
    """A docstring as reStructuredText: all of its words, in their order."""
    out = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        first = block.lstrip()
        if first.startswith(">>>"):
            out += [*block.splitlines(), ""]
        elif first != block:  # indented: shown as it stands
            out += ["::", "", *block.splitlines(), ""]
        else:
            out += shown(" ".join(block.split()), parameters)
    return out


def parameters_of(obj):
    """The names of an object's parameters, none for what cannot be called."""
    try:
        return list(inspect.signature(obj).parameters)
    except (TypeError, ValueError):
        return []


def with_numbers(signature, names):
    """A signature whose defaults that are named numbers or words show them; long ones keep their names.

    >>> with_numbers("(*, size=SIDE, claims=CLAIMS)", {"SIDE": 32, "CLAIMS": (1, 2, 3)})
    '(*, size=32, claims=CLAIMS)'
    """
    for name in re.findall(r"=([A-Z_]+)(?=[,)])", signature):
        if isinstance(names.get(name), int | float | str):
            signature = re.sub(rf"={name}(?=[,)])", f"={names[name]!r}", signature)
    return signature


def process_signature(app, what, name, obj, options, signature, returns):
    return with_numbers(signature or "", getattr(obj, "__globals__", {})) or signature, returns


def process(app, what, name, obj, options, lines):
    lines[:] = as_markup(lines, parameters_of(obj))
    app.env.note_dependency(__file__)  # a change here is a change of the page


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", process_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
