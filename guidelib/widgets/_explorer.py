"""A drawing with controls: a slider or a list for each of its settings, or some of its frames on paper."""

import io
import os

import numpy as np

STATIC = "GUIDELIB_STATIC"  # set to 1 where nobody can move a slider: headless, in the book, in tests


def interactive():
    """Whether controls can be shown: in a notebook's kernel, unless GUIDELIB_STATIC is 1.

    >>> interactive()
    False
    """
    if os.environ.get(STATIC) == "1":
        return False
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


class Explorer:
    """A drawing that a reader can change, shown by a notebook as controls above it, or as static frames.

    draw: callable(panels) that draws on a list of Matplotlib axes what stays, and returns the artists that
    move and a callable(**settings), which moves them and returns what is to be seen, in a sentence or two.
    controls: {setting: (label, values)}, numbers for a slider, texts for a list. begin: {setting: value},
    where it begins, by default at the first value. frames: the settings of the static twin, a list of dicts,
    each over those it begins with. alt: what the drawing is, for a reader who cannot see it. size: of a frame
    in inches; panels: how many axes it has.

    >>> def draw(panels):
    ...     (line,) = panels[0].plot([], [])
    ...     def move(n):
    ...         line.set_data(range(n), range(n))
    ...         return f"{n} points."
    ...     return [line], move
    >>> points = Explorer(draw, controls={"n": ("points", [2, 3])}, frames=[{"n": 3}], alt="A line.")
    >>> points.frame({"n": 3})[1]
    '3 points.'
    """

    def __init__(self, draw, *, controls, frames, alt, begin=None, size=(6.5, 2.8), panels=1):
        self.draw = draw
        self.controls = controls
        self.frames = frames
        self.alt = alt
        self.size = size
        self.panels = panels
        self.begin = {name: values[0] for name, (_, values) in controls.items()} | (begin or {})
        self.stage = None

    def frame(self, settings):
        """(PNG as bytes, the sentence) of one drawing; only what moves is drawn anew."""
        if self.stage is None:
            self.stage = Stage(self)
        words = self.stage.move(**settings)
        return self.stage.png(), words

    def static(self):
        """(the frames in one image with its alternative text, their sentences in Markdown)."""
        from IPython.display import Image, Markdown

        figure, grid = self.paper(rows=len(self.frames), layout="constrained")
        said = []
        for number, (panels, changed) in enumerate(zip(grid, self.frames, strict=True), 1):
            _, move = self.draw(list(panels))
            said.append(move(**self.begin | changed))
            panels[0].set_title(f"{number}.", loc="left", fontsize="medium")
        file = io.BytesIO()
        figure.savefig(file, format="png")
        image = Image(data=file.getvalue(), format="png", alt=self.alt, width=int(100 * self.size[0]))
        return image, Markdown("\n".join(f"{i}. {words}" for i, words in enumerate(said, 1)))

    def live(self):
        """Controls, drawing and sentence as one ipywidget."""
        import ipywidgets as ipw

        image = ipw.Image(format="png", width=int(100 * self.size[0]), layout=ipw.Layout(max_width="100%"))
        words = ipw.HTML()
        inputs = {name: control(label, values, self.begin[name])
                  for name, (label, values) in self.controls.items()}

        def update(_=None):
            image.value, words.value = self.frame({name: i.value for name, i in inputs.items()})

        for widget in inputs.values():
            widget.observe(update, names="value")
        update()
        return ipw.VBox([*inputs.values(), image, words])

    def _ipython_display_(self):
        from IPython.display import display

        if interactive():
            display(self.live())
        else:
            display(*self.static())

    def paper(self, *, rows, layout=None):
        """A figure with a row of panels for each frame, made without the interactive front end."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        width, height = self.size
        figure = Figure(figsize=(width, rows * height), dpi=100, layout=layout)
        FigureCanvasAgg(figure)
        return figure, figure.subplots(rows, self.panels, squeeze=False)


class Stage:
    """One frame that is drawn again and again: what stays is painted once, and what moves on top of it."""

    def __init__(self, explorer):
        self.figure, grid = explorer.paper(rows=1)
        width, height = explorer.size  # inches: margins are as wide whatever the size
        self.figure.subplots_adjust(left=0.7 / width, right=1 - 0.2 / width, bottom=0.55 / height,
                                    top=1 - 0.35 / height, wspace=0.25)
        self.moving, self.move = explorer.draw(list(grid[0]))
        for artist in self.moving:
            artist.set_animated(True)
        canvas = self.figure.canvas
        canvas.draw()
        self.behind = canvas.copy_from_bbox(self.figure.bbox)

    def png(self):
        """The frame as it stands, as bytes."""
        from PIL import Image

        canvas = self.figure.canvas
        canvas.restore_region(self.behind)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        file = io.BytesIO()
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(file, "png", compress_level=1)
        return file.getvalue()


def control(label, values, value):
    """A slider over numbers, or a list of texts, with its label before it."""
    import ipywidgets as ipw

    shared = {"value": value, "description": label, "style": {"description_width": "14em"},
              "layout": ipw.Layout(width="32em", max_width="100%")}
    if all(isinstance(v, str) for v in values):
        return ipw.Dropdown(options=values, **shared)
    return ipw.SelectionSlider(options=[(f"{v:g}", v) for v in values], **shared)
