"""The command line: `guidelib COMMAND` or `python -m guidelib COMMAND`.

Each command is a file with arguments(parser) and main(options). Words that a command does not know are an
error, but the test command finds them in options.rest and passes them to pytest.
"""

import argparse
import importlib
import os
import sys

from ..experiments.screen import say

COMMANDS = {
    "figures": "run the tutorials headless; leave executed notebooks, figures and one table of results",
    "run": "make one run of an experiment, or read its record if it is there",
    "tune": "tune every condition of an experiment alike, and keep the log",
    "compare": "make all runs that an experiment compares, on all reported seeds",
    "study": "train a deep net from many initialisations, at several sizes",
    "results": "make one table of a folder of run records",
    "ledger": "every claim of the paper against the run records, with controls and verdicts by rule",
    "doctor": "say whether this machine is ready for the course, and what to do where it is not",
    "list": "list notebooks, experiments, conditions, regimes and profiles",
    "test": "run the tests: library, doctests and notebooks",
    "book": "build the course as HTML, offline",
    "course": "copies of the notebooks for a class, with solutions and without",
}


def main(argv=None):
    """Parse the command line and run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="guidelib", description="Guidance: align a target to a frozen guide, with the controls.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        module = importlib.import_module(f"guidelib.cli.{name}")
        command = commands.add_parser(name, help=text, description=module.__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
        module.arguments(command)
        command.set_defaults(main=module.main)
    options, rest = parser.parse_known_args(argv)
    if rest and options.command != "test":
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        code = options.main(options) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("\ninterrupted: what is kept, and the checkpoint of a run under way, are used by the next start")
        return 130
    return code
