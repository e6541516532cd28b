"""Say whether this machine is ready for the course, and what to do where it is not.

    guidelib doctor
    guidelib doctor --out /where/results/go
    guidelib doctor --json

Exit code 0 if nothing is wrong, else 1.
"""

import json
from dataclasses import asdict
from pathlib import Path


def arguments(parser):
    parser.add_argument("--out", type=Path, help="folder for the results (default figures/ of the checkout)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def main(options):
    from ..course.checkout import ROOT
    from ..course.doctor import examine

    home = ROOT if (ROOT / "notebooks").is_dir() else Path()  # installed without a checkout: where one stands
    found = examine(out_dir=options.out or home / "figures")
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        print(found.text())
    return 0 if found.ready else 1
