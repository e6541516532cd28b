"""Run the tests: the library's, its doctests, and every notebook at profile smoke. Further arguments go to pytest.

    guidelib test                 the quick lane
    guidelib test --slow          the slow lane
    guidelib test -k cka -x       arguments of pytest
"""

import os
import sys
import tempfile

from ..course.checkout import checkout
from ..experiments.screen import say


def arguments(parser):
    parser.add_argument("--slow", action="store_true", help="run the tests marked slow, and only these")


def main(options, rest=()):
    try:
        import nbval  # noqa: F401
        import pytest
    except ImportError:
        say("guidelib test: pytest and nbval are not installed: pip install -e '.[test]'")
        return 2
    root = checkout()
    os.chdir(root)
    with tempfile.TemporaryDirectory() as out:
        os.environ |= {"GUIDELIB_PROFILE": "smoke", "GUIDELIB_OUT": out, "GUIDELIB_PROGRESS": os.path.join(out, "progress.json")}
        lanes = ["-m", "slow", "tests"] if options.slow else \
            ["-m", "not slow", "tests", "--doctest-modules", "guidelib", "--nbval-lax", "--nbval-cell-timeout=300", "--nbval-current-env", "notebooks"]
        return int(pytest.main([*lanes, *rest]))


if __name__ == "__main__":
    sys.exit(main(None))
