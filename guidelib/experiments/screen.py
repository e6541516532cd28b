"""Where a line is shown to who watches: in a notebook's cell, as the terminal's last line, or on stderr."""

import shutil
import sys


def screen():
    """A function(text, end) that shows a line in place of the one before; None where nobody would see it."""
    if in_kernel():
        return Cell()
    return on_terminal if sys.stderr is not None and sys.stderr.isatty() else None


def in_kernel():
    """Whether this process is the kernel of a notebook."""
    return "IPython" in sys.modules and hasattr(sys.modules["IPython"].get_ipython(), "kernel")


class Cell:
    """One output of a cell, in plain text: a widget would be empty once the notebook is saved and opened."""

    def __init__(self):
        self.handle = None

    def __call__(self, text, end=""):
        from IPython.display import display

        if self.handle is None:
            self.handle = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self.handle.update({"text/plain": text}, raw=True)


def on_terminal(text, end=""):
    """Rewrite the terminal's last line, cut to its width; a warning would take its place."""
    width = shutil.get_terminal_size().columns - 1
    shown = text[:width].ljust(width)
    sys.stderr.write(f"\r{shown}" + (end or "\r"))
    sys.stderr.flush()


def say(text):
    """A line for whoever watches, at once."""
    print(text, file=sys.stderr, flush=True)
