"""Run the tests: the library's, its doctests, and every notebook at profile smoke.

Further arguments go to pytest.

    guidelib test                 the quick lane
    guidelib test --slow          the slow lane
    guidelib test -k cka -x       arguments of pytest
    guidelib test -n 0            in one process, not in two

The files are dealt to two processes of one thread each.
"""

import os
import tempfile

from ..course.checkout import checkout
from ..experiments.screen import say

QUICK = ("-m", "not slow", "tests", "--doctest-modules", "guidelib",
         "--nbval-lax", "--nbval-cell-timeout=300", "--nbval-current-env", "notebooks")
SLOW = ("-m", "slow", "tests")
TWO = ("-n", "2", "--dist", "loadscope")  # the cells of a notebook stay together, and in order


def arguments(parser):
    parser.add_argument("--slow", action="store_true", help="run the tests marked slow, and only these")


def main(options):
    try:
        import nbval  # noqa: F401
        import pytest
        import xdist  # noqa: F401
    except ImportError:
        say("guidelib test: pytest, xdist or nbval is not installed: pip install -e '.[test]'")
        return 2
    os.chdir(checkout())
    lane = SLOW if options.slow else QUICK
    with tempfile.TemporaryDirectory() as out:
        os.environ["GUIDELIB_PROFILE"] = "smoke"
        os.environ["GUIDELIB_OUT"] = out
        os.environ["GUIDELIB_PROGRESS"] = os.path.join(out, "progress.json")
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        return int(pytest.main([*TWO, *lane, *options.rest]))
