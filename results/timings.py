"""Keep how long the notebooks took: python results/timings.py, after make figures at smoke and at fast.

Both from the start, into folders without records, with nothing else running: records that are
reused would make a notebook look quick. Other folders can be named.
"""

import sys
from pathlib import Path

import pandas as pd

from guidelib.cli.figures import figures_of
from guidelib.course import timings

HERE = Path(__file__).resolve().parent


def main(folders):
    tables = [pd.read_csv(Path(folder) / timings.FILE) for folder in folders]
    pd.concat(tables).to_csv(HERE / timings.FILE, index=False)


if __name__ == "__main__":
    main(sys.argv[1:] or [figures_of("smoke"), figures_of("fast")])
