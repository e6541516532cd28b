"""Run the tests: the library's, its doctests, and every notebook at profile smoke.

Further arguments go to pytest.

    guidelib test                 the quick lane
    guidelib test --slow          the slow lane
    guidelib test -k cka -x       arguments of pytest
"""

import os
import tempfile

from ..course.checkout import checkout
from ..experiments.screen import say

QUICK = ("-m", "not slow", "tests", "--doctest-modules", "guidelib",
         "--nbval-lax", "--nbval-cell-timeout=300", "--nbval-current-env", "notebooks")
SLOW = ("-m", "slow", "tests")


def arguments(parser):
    parser.add_argument("--slow", action="store_true", help="run the tests marked slow, and only these")


def main(options):
    try:
        import nbval  # noqa: F401
        import pytest
    except ImportError:
        say("guidelib test: pytest and nbval are not installed: pip install -e '.[test]'")
        return 2
    os.chdir(checkout())
    lane = SLOW if options.slow else QUICK
    with tempfile.TemporaryDirectory() as out:
        os.environ["GUIDELIB_PROFILE"] = "smoke"
        os.environ["GUIDELIB_OUT"] = out
        os.environ["GUIDELIB_PROGRESS"] = os.path.join(out, "progress.json")
        return int(pytest.main([*lane, *options.rest]))
