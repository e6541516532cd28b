"""Tests write nowhere but into temporary folders, and see the profile they would see from the command.

One thread each, as there: two processes of as many threads as there are cores wait for one another.
"""

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GUIDELIB_PROFILE", "smoke")
os.environ.setdefault("GUIDELIB_OUT", tempfile.mkdtemp(prefix="guidelib-"))

collect_ignore_glob = ["golden/*.py"]
