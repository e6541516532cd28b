"""Make one tidy table of a folder of run records: one row a run, the settings that vary, and all metrics.

    guidelib results records                       as much as a screen shows: accuracies, seconds
    guidelib results records --all                 all columns
    guidelib results records --out table.csv
"""

from pathlib import Path

from ..experiments import Config
from ..experiments.screen import say

FIRST = ("experiment", "condition", "profile", "regime", "seed")
ALWAYS = ("condition", "seed")
FEW = 4  # settings that still fit on a screen beside the rest
LAST = ("test_accuracy", "test_accuracy_last", "gap_last", "duration_s")
WRITERS = {".csv": "to_csv", ".parquet": "to_parquet"}


def arguments(parser):
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder of records")
    parser.add_argument("--all", action="store_true", help="every column, whatever its width")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="write the table to this .csv or .parquet file, not to the screen")


def main(options):
    try:
        table = make(options.folder)
        if options.out is None:
            print((table if options.all else narrow(table)).to_string(index=False))
        else:
            write(table, options.out)
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        say(f"guidelib results: {error}")
        return 2
    return 0


def make(folder):
    """The table of a folder; ValueError if no record lies there."""
    from ..evidence import results
    from ..experiments import read_all

    records = read_all(folder)
    if not records:
        inside = folder / "records"
        repair = f"try {inside}" if inside.is_dir() else "give the folder that --out of `guidelib run` named"
        raise ValueError(f"no record in {folder}: {repair}")
    return results(records)


def narrow(table):
    """The columns that tell runs apart, their settings where no more than FEW vary, and what they reached."""
    names = [name for name in FIRST if name in ALWAYS or (name in table and table[name].nunique() > 1)]
    settings = [name for name in table if name in Config.__dataclass_fields__ and name not in FIRST]
    shown = settings if len(settings) <= FEW else []
    return table[[*names, *shown, *(name for name in LAST if name in table)]].round(4)


def write(table, path):
    """Write a table as its file name says; ValueError for a name that ends otherwise."""
    if path.suffix not in WRITERS:
        endings = " or ".join(WRITERS)
        raise ValueError(f"a table is written to a file that ends in {endings}, received {str(path)!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    getattr(table, WRITERS[path.suffix])(path, index=False)
    say(f"{len(table)} runs, {len(table.columns)} columns: {path}")
