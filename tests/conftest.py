"""Tests write nowhere but into temporary folders, and see the profile they would see from the command."""

import os
import tempfile

os.environ.setdefault("GUIDELIB_PROFILE", "smoke")
os.environ.setdefault("GUIDELIB_OUT", tempfile.mkdtemp(prefix="guidelib-"))

collect_ignore_glob = ["golden/*.py"]
