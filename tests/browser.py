"""A headless browser for the tests that need one, and a JupyterLab for those that open notebooks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is drawn, in view or not
}
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def needed():
    """The path of a browser; skips the test where none, or nothing to steer one with, is installed."""
    pytest.importorskip("playwright", reason="playwright is not installed: pip install -e '.[browser]'")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install one, for instance with apt-get install chromium")
    return path


def expect(*things):
    """Playwright's assertions, which wait for what they ask for."""
    from playwright.sync_api import expect

    return expect(*things)


@contextmanager
def browser():
    """A Chromium without a window."""
    path = needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield found
        finally:
            found.close()


@contextmanager
def jupyterlab(folder, home, **environment):
    """The address of a JupyterLab on a folder, token included; its settings lie in `home`."""
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    private = {f"JUPYTER_{name}": str(home / name.lower()) for name in names}
    private |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    for name, chosen in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
               "--allow-root", "--IdentityProvider.token=token", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen(command, env=os.environ | private | environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        yield address(Path(private["JUPYTER_RUNTIME_DIR"]), server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def address(runtime, server, *, patience=90):
    """The address that a starting server writes down, waited for."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        assert server.poll() is None, "JupyterLab has ended"
        for path in runtime.glob("jpserver-*.json"):
            return json.loads(path.read_text())["url"]
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start within {patience} s")
