"""The closing table of a tutorial, "paper, ours, three answers": its rows, for people, and as a file."""

import json
import re
from html import escape
from itertools import cycle
from pathlib import Path

import pandas as pd

from ..experiments.records import finite
from ..files import write_whole
from .effects import effect
from .verdicts import UNTESTED, kind
from .words import beside, in_words, named, recipe, shown


def row(records, claim, condition, *, paper, **options):
    """One row: a condition's effect, the answers to the three questions, and the verdict, as a dict.

    options: those of effect(): against, controls, metric, worse, overfitting. paper: what the paper reports.
    """
    return as_row(effect(records, condition, **options), claim, paper=paper)


def as_row(found, claim, *, paper):
    """An Effect as a row."""
    made = {
        "claim": claim, "paper": paper, "condition": found.condition, "metric": found.metric,
        "seeds": found.seeds, "n": found.n, "base": found.against, "over": found.over, "helps": found.helps,
        "specific": found.specific, "useful": found.useful, "verdict": found.verdict,
    }
    made["ours"], made["low"], made["high"] = found.ours
    made["gain"], made["gain_low"], made["gain_high"] = found.gain
    made["worth"], made["worth_low"], made["worth_high"] = found.worth
    return made


def readable(rows):
    """The rows as a table for people: claim, verdict, then paper, ours, and the three answers."""
    lines = []
    for r in rows:
        tested = kind(r["verdict"]) != UNTESTED
        gain = worth = ""
        if r["base"]:
            gain = beside(r["metric"], r["gain"], r["gain_low"], r["gain_high"], named(r["base"]))
        if tested and r["useful"]:
            worth = beside(r["metric"], r["worth"], r["worth_low"], r["worth_high"], recipe(r["condition"]))
            worth = f"{r['useful']}: {worth}"
        lines.append({
            "claim": r["claim"],
            "verdict": r["verdict"],
            "paper": r["paper"],
            "ours": shown(r["metric"], r["ours"], r["low"], r["high"]),
            "does it help?": f"{r['helps']}: {gain}" if tested and gain else gain,
            "is it the guide?": in_words(r["specific"]) if tested else "",
            "is it worth it?": worth,
        })
    return pd.DataFrame(lines)


def table(rows):
    """The rows as an HTML table that a notebook shows whole: no cell cut, left-aligned, no row numbers.

    Each cell names its column, so that the book can show a row as a card on a phone.
    """
    from IPython.display import HTML

    cells = readable(rows)
    with pd.option_context("display.max_colwidth", None):
        html = cells.to_html(index=False, border=0, classes="closing")
    style = "text-align: left; vertical-align: top; padding: 0.4em 0.7em"
    # In each cell, since JupyterLab, the book and other viewers style tables too.
    html = html.replace("<th>", f'<th style="{style}">')
    columns = cycle(cells.columns)
    html = re.sub("<td>", lambda _: f'<td data-of="{escape(next(columns))}" style="{style}">', html)
    return HTML(html)


def save(rows, notebook, *, profile, out, kept=0, computed=0):
    """Write the table of a notebook to OUT/tables/NOTEBOOK.json, beside its figures; returns the path.

    kept, computed: how many of the runs that the notebook shows are kept records, and were computed.
    """
    runs = {"kept": kept, "computed": computed}
    facts = {"notebook": notebook, "profile": profile, "runs": runs, "rows": rows}
    text = json.dumps(finite(facts), indent=1, ensure_ascii=False) + "\n"
    return write_whole(Path(out) / "tables" / f"{notebook}.json", text.encode())
