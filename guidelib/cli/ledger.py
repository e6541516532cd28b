"""Print every claim of the paper and the article against run records, with controls and verdicts by rule.

    guidelib ledger                    from results/ of the checkout
    guidelib ledger DIR --write        leave the page in DIR/ledger.md as well
    guidelib ledger DIR --csv FILE     leave the table for other programs as well
"""

from pathlib import Path

from ..course.checkout import checkout
from ..experiments.screen import say


def arguments(parser):
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR",
                        help="folder of the records (default: results/ of the checkout)")
    parser.add_argument("--write", action="store_true", help="write the page to DIR/ledger.md")
    parser.add_argument("--csv", type=Path, metavar="FILE",
                        help="write the table, one row a claim and setting")


def main(options):
    from ..evidence import ledger, page

    try:
        folder = options.folder or checkout() / "results"
        text = page(folder)
    except (FileNotFoundError, ValueError) as error:
        say(f"guidelib ledger: {error}")
        return 2
    print(text, end="")
    if options.write:
        (folder / "ledger.md").write_bytes(text.encode())
    if options.csv:
        ledger(folder).to_csv(options.csv, index=False, lineterminator="\n")
    return 0
