"""What notebook 01 keeps out of its cells: numbers to check against, drawings, widgets, predictions, checks.

It needs NumPy and Matplotlib, and ipywidgets where there is a front end, so that the notebook runs in a
browser too. Every widget has a static twin: the same drawing at four settings, in one image.
"""

import base64
import html
import io
import os
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

# Okabe and Ito, by role, as in all figures of the course.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "guidelib", "axes.titlesize": "medium",
         "axes.spines.top": False, "axes.spines.right": False, "font.size": 10,
         "text.hinting": "no_hinting"}  # the last is drawn faster
SIZE = (6.5, 2.8)  # inches, of a widget's drawing
PART = (4.7, 2.3)  # inches, of one setting in a static twin


# Numbers

def gram(x):
    """Gram matrix (n, n) of activations x (n, p): the inner product of each pair of examples.

    >>> gram(np.array([[1.0, 0.0], [1.0, 2.0]]))
    array([[1., 1.],
           [1., 5.]])
    """
    return x @ x.T


def centre(k):
    """H K H with H = I - 1/n: k (n, n) without the means of its rows and columns.

    >>> centre(np.eye(2))
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    return k - k.mean(axis=0) - k.mean(axis=1, keepdims=True) + k.mean()


def u_centre(k):
    """U-centre a symmetric k (n, n), n > 2: the diagonal becomes 0, then each row and column sums to 0.

    Székely and Rizzo 2014, definition 2.

    >>> abs(u_centre(np.eye(4))).max() == 0
    np.True_
    """
    n = len(k)
    k = k - np.diag(np.diag(k))
    rows = k.sum(axis=0) / (n - 2)
    k = k - rows - rows[:, None] + rows.sum() / (n - 1)
    return k - np.diag(np.diag(k))


def cosine(k, l):
    """Cosine of the angle between matrices k and l of one shape, as long vectors; 0 if one of them is 0.

    >>> round(float(cosine(np.eye(2), np.ones((2, 2)))), 4)
    0.7071
    """
    sizes = np.linalg.norm(k) * np.linalg.norm(l)
    return np.sum(k * l) / sizes if sizes > 0 else 0.0


def cka(x, y, *, debiased=False):
    """Linear CKA of activations x (n, p) and y (n, q) of the same examples in the same order; 1 is alike.

    ValueError for unequal n, for n < 2, and for n < 4 if debiased. Kornblith et al. 2019; Murphy et al. 2024
    and Székely and Rizzo 2014 for the debiased form.

    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    >>> [round(float(cka(x, x[:, :1], debiased=debiased)), 4) for debiased in (False, True)]
    [0.8381, 0.5]
    """
    least = 4 if debiased else 2
    if len(x) != len(y) or len(x) < least:
        raise ValueError(f"cka needs the same n >= {least} examples on both sides, received shapes "
                         f"{np.shape(x)} and {np.shape(y)}: take the rows that both have")
    k, l = gram(x - x.mean(axis=0)), gram(y - y.mean(axis=0))
    return cosine(u_centre(k), u_centre(l)) if debiased else cosine(k, l)


def participation_ratio(x):
    """tr(K)^2 / |K|^2 of the centred Gram matrix of x (n, p): over how many dimensions the examples spread.

    From 1 to n - 1. Gao et al. 2017.

    >>> round(float(participation_ratio(np.eye(4))), 4)
    3.0
    """
    k = gram(x - x.mean(axis=0))
    return np.trace(k) ** 2 / np.sum(k * k)


def chance(n, p, q=None):
    """About the mean CKA of independent Gaussian features, p on one side and q (as many) on the other.

    sqrt(pr_x pr_y) / (n - 1), with the participation ratio's mean taken as ((n - 1) p + 2) / (n + p).

    >>> round(float(chance(64, 512)), 2), round(float(chance(2048, 64)), 2)
    (0.89, 0.03)
    """
    q = p if q is None else q
    ratios = [((n - 1) * width + 2) / (n + width) for width in (p, q)]
    return np.sqrt(np.prod(ratios, axis=0)) / (n - 1)


# Figures

def show(figure, name, *, alt, out):
    """Save a figure as OUT/01_NAME.svg and .png, and return it as an image that carries its alternative text.

    alt: one sentence for a reader who cannot see the figure; ValueError if it is empty.
    """
    from IPython.display import Image

    if not alt.strip():
        raise ValueError(f"figure {name!r} needs alt=: one sentence that says what it shows")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"Date": None, "Title": name, "Description": alt}
    with matplotlib.rc_context(STYLE):
        figure.savefig(folder / f"01_{name}.svg", metadata=about)
        figure.savefig(folder / f"01_{name}.png", dpi=120, metadata={"Description": alt})
    data = (folder / f"01_{name}.png").read_bytes()
    return Image(data=data, format="png", alt=alt, width=min(720, int(100 * figure.get_figwidth())))


def png(figure):
    """The bytes of a figure as PNG, at the resolution of a widget.

    >>> png(drawn(draw_chance, n=8, p=4)[0])[1:4]
    b'PNG'
    """
    data = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(data, format="png", dpi=100, pil_kwargs={"compress_level": 1})
    return data.getvalue()


def drawn(draw, **numbers):
    """(a figure of a widget's size, its state in words) of a drawing function at these numbers.

    >>> drawn(draw_grams, name="itself", k=np.eye(3), l=np.eye(3))[1]
    'itself: CKA with the original is 1.00'
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE)
        words = draw(figure, **numbers)
    return figure, words


def side_by_side(draw, settings):
    """(figure, words of each): one drawing function at several settings (a list of dicts), two in a row.

    >>> figure, words = side_by_side(draw_chance, [{"n": 8, "p": 4}, {"n": 64, "p": 4}])
    >>> len(figure.subfigs), len(words)
    (2, 2)
    """
    rows = -(-len(settings) // 2)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2 * PART[0], rows * PART[1]))
        parts = np.ravel(figure.subfigures(rows, 2, hspace=0.05))
        words = [draw(part, **numbers) for part, numbers in zip(parts, settings, strict=False)]
    return figure, words


def gram_image(ax, k, title):
    """Draw a Gram matrix k (n, n): red where two examples point the same way, blue where opposite ways."""
    size = np.quantile(abs(k), 0.98) or 1.0  # lest one outlier on the diagonal pale all else
    ax.imshow(k, cmap="RdBu_r", vmin=-size, vmax=size, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, y=1.01)  # a place of its own choosing would cost the drawing time
    for spine in ax.spines.values():
        spine.set_visible(True)


def gram_row(grams, *, note):
    """A figure of Gram matrices side by side, {name: (n, n)}, each in its own scale; note: what the rows are.

    >>> len(gram_row({"K": np.eye(3)}, note="three examples").axes)
    1
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(2.5 * len(grams) + 0.4, 2.9), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(grams)))
        for ax, (name, k) in zip(axes, grams.items(), strict=True):
            gram_image(ax, k, name)
        figure.supxlabel(note, fontsize="small")
    return figure


def unchanged_or_not(values):
    """A figure of the table {what was done to X: CKA with X}: a bar each, blue if it is still 1.

    >>> len(unchanged_or_not({"rotation": 1.0, "shuffled": 0.1}).axes[0].patches)
    2
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.5, 0.42 * len(values) + 0.8), layout="constrained")
        ax = figure.subplots()
        for row, (name, value) in enumerate(values.items()):
            same = abs(value - 1) < 1e-9
            ax.barh(row, value, color=BLUE if same else ORANGE, hatch="" if same else "//",
                    edgecolor="white", height=0.65)
            verdict = "unchanged" if same else "changed"
            ax.text(1.03, row, f"{value:.2f}, {verdict}", va="center", fontsize="small")
        ax.axvline(1, color="black", linestyle="--", linewidth=1)
        ax.set(xlim=(0, 1.3), xticks=(0, 0.25, 0.5, 0.75, 1), xlabel="CKA with the original X")
        ax.set_yticks(range(len(values)), labels=values)
        ax.invert_yaxis()
    return figure


def law_figure(found):
    """A figure of CKA of noise against p, {n: rows (p, biased, debiased)}, with the law as dashed lines.

    >>> len(law_figure({8: [(2, 0.2, 0.0), (4, 0.4, 0.0)]}).axes)
    1
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7, 3.4), layout="constrained")
        ax = figure.subplots()
        for colour, marker, (n, rows) in zip((BLUE, ORANGE, GREEN), "Dos", found.items(), strict=False):
            p, biased, debiased = np.transpose(rows)
            fine = np.geomspace(min(p), max(p), 60)
            x = np.log2(p)
            ax.plot(np.log2(fine), chance(n, fine), color=colour, linestyle="--", linewidth=1)
            ax.plot(x, biased, marker, color=colour, label=f"biased, n = {n}")
            ax.plot(x, debiased, marker, color=colour, markerfacecolor="none", label=f"debiased, n = {n}")
        ax.plot([], [], color="black", linestyle="--", linewidth=1, label="the law")
        _noise_axes(ax, min(p), max(p))
        ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return figure


def _noise_axes(ax, lowest, highest, every=2):
    """Axes of CKA against log2(p), a tick at each second power: few ticks, for each takes time to draw."""
    powers = np.arange(np.log2(lowest), np.log2(highest) + 0.1, every)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xticks(powers, labels=[f"{2**power:.0f}" for power in powers])
    ax.set(xlim=(np.log2(lowest) - 0.3, np.log2(highest) + 0.3), ylim=(-0.3, 1.05), yticks=(0, 0.5, 1),
           xlabel="p, features on each side", ylabel="CKA of noise")


# What the widgets draw: numbers in, marks on a figure and the state in words out

def draw_grams(figure, *, name, k, l):
    """Two centred Gram matrices k and l (n, n) side by side, with their CKA in the title."""
    words = f"{name}: CKA with the original is {cosine(k, l):.2f}"
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.03, top=0.78, wspace=0.05)
    gram_image(left, k, "the original")
    gram_image(right, l, name)
    figure.suptitle(f"CKA = {cosine(k, l):.2f}", fontweight="bold")
    return words


def draw_chance(figure, *, n, p, seed=0, draws=4):
    """CKA of independent noise (n, p) with noise, biased and debiased, each draw a point, beside the law."""
    rng = np.random.default_rng([seed, n, p])
    found = []
    for _ in range(draws):
        k, l = (gram(x - x.mean(axis=0)) for x in rng.standard_normal((2, n, p), dtype=np.float32))
        found.append((cosine(k, l), cosine(u_centre(k), u_centre(l))))
    biased, debiased = np.transpose(found)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.14, right=0.73, bottom=0.21, top=0.86)
    fine = np.geomspace(2, 512, 40)
    x = np.full(draws, np.log2(p))
    ax.plot(np.log2(fine), chance(n, fine), color="black", linestyle="--", linewidth=1)
    ax.plot(x, biased, "D", color=BLUE, alpha=0.6)
    ax.plot(x, debiased, "s", color=ORANGE, markerfacecolor="none")
    _noise_axes(ax, 2, 512, every=4)
    ax.set_title(f"n = {n}, p = {p}", y=1.02)
    # Three texts for a key: a legend takes longer.
    figure.text(0.75, 0.80, "- - the law")
    figure.text(0.75, 0.68, "\u25c6 biased", color=BLUE)
    figure.text(0.75, 0.56, "\u25a1 debiased", color=ORANGE)
    return (f"n = {n} examples, p = {p} features: mean of {draws} draws {biased.mean():.2f} biased, "
            f"{debiased.mean():.2f} debiased; the law says {chance(n, p):.2f}")


def draw_step(figure, *, step, grams, goal, values):
    """Gram matrix of X at one step, of the steps' grams (s, n, n), that of Y, and CKA by step (s,)."""
    places = ((0.02, 0.1, 0.3, 0.76), (0.35, 0.1, 0.3, 0.76), (0.74, 0.22, 0.23, 0.62))
    one, two, curve = (figure.add_axes(place) for place in places)
    gram_image(one, grams[step], f"X, step {step}")
    gram_image(two, goal, "Y, the guide")
    curve.plot(values, color=BLUE)
    curve.plot([step], [values[step]], "D", color=ORANGE)
    curve.set(ylim=(0, 1.05), yticks=(0, 0.5, 1), xlabel="step")
    curve.set_title(f"CKA = {values[step]:.2f}", y=1.04)
    return f"step {step} of {len(values) - 1}: CKA of X with Y is {values[step]:.2f}"


# Widgets and their static twins

def interactive():
    """Whether widgets can be shown: in a notebook's kernel with ipywidgets, unless GUIDELIB_STATIC is "1".

    >>> interactive()
    False
    """
    if os.environ.get("GUIDELIB_STATIC") == "1":
        return False
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(type(get_ipython()), "kernel")  # the browser's kernel is no ipykernel, but has one too


def grams_side_by_side(x, variants, *, shown=(), out):
    """Widget: centred Gram matrices of x (n, p) and of a chosen one of variants, {name: (n, q)}.

    shown: the variants of the static twin, the first four by default.
    """
    k = centre(gram(x))
    grams = {name: centre(gram(y)) for name, y in variants.items()}

    def draw(figure, *, name):
        return draw_grams(figure, name=name, k=k, l=grams[name])

    if interactive():
        import ipywidgets as widgets
        return _explorer(draw, {"name": widgets.Dropdown(options=list(grams), description="What is done:",
                                                         style={"description_width": "initial"})})
    return _twin(draw, [{"name": name} for name in shown or list(grams)[:4]], "side_by_side", out)


def chance_level(*, seed=0, out):
    """Widget: CKA of independent noise at n examples and p features, biased and debiased, beside the law."""
    def draw(figure, *, n, p):
        return draw_chance(figure, n=n, p=p, seed=seed)

    if interactive():
        import ipywidgets as widgets
        sides = {"n": (8, 16, 32, 64, 128), "p": (2, 4, 8, 16, 32, 64, 128, 256, 512)}
        names = {"n": "n, examples", "p": "p, features"}
        controls = {}
        for side, values in sides.items():
            controls[side] = widgets.SelectionSlider(options=values, value=32, description=names[side])
        return _explorer(draw, controls)
    settings = [{"n": n, "p": p} for n in (16, 128) for p in (8, 256)]
    return _twin(draw, settings, "chance_level", out)


def replay(steps, y, *, out):
    """Widget: a descent step by step, from steps (s, n, p), all X it went through, and the guide y (n, q)."""
    grams = [centre(gram(x)) for x in steps]
    goal = centre(gram(y))
    values = [cosine(k, goal) for k in grams]

    def draw(figure, *, step):
        return draw_step(figure, step=step, grams=grams, goal=goal, values=values)

    last = len(steps) - 1
    if interactive():
        import ipywidgets as widgets
        return _explorer(draw, {"step": widgets.IntSlider(value=0, min=0, max=last, description="Step")})
    return _twin(draw, [{"step": step} for step in (0, last // 10, last // 4, last)], "replay", out)


def _explorer(draw, controls):
    """A box: controls, {argument of draw: widget}, the drawing at their values, and its state in words."""
    import ipywidgets as widgets

    picture, state = widgets.HTML(), widgets.HTML()

    def update(change=None):
        figure, words = drawn(draw, **{name: control.value for name, control in controls.items()})
        words = html.escape(words)
        data = base64.b64encode(png(figure)).decode()
        picture.value = f'<img style="max-width: 100%" alt="{words}" src="data:image/png;base64,{data}">'
        state.value = words

    for control in controls.values():
        control.observe(update, names="value")
    update()
    return widgets.VBox([*controls.values(), picture, state])


def _twin(draw, settings, name, out):
    figure, words = side_by_side(draw, settings)
    return show(figure, name, alt="; ".join(words) + ".", out=out)


# Predictions

_predictions = {}


def predict(question, options, *, name):
    """Ask for a prediction and keep it under a name for compare(): radio buttons, or text to print.

    >>> predict("Is it 1?", ["yes", "no"], name="example").data.splitlines()[-1]
    'My prediction: ____'
    """
    _predictions.setdefault(name, None)
    if not interactive():
        from IPython.display import Markdown
        lines = [f"**Predict.** {question}", "", *(f"- {option}" for option in options), "",
                 "My prediction: ____"]
        return Markdown("\n".join(lines))
    import ipywidgets as widgets

    before = _predictions[name] if _predictions[name] in options else None
    buttons = widgets.RadioButtons(options=list(options), value=before, description="I predict:",
                                   layout={"width": "max-content"})

    def keep(change):
        _predictions[name] = change["new"]

    buttons.observe(keep, names="value")
    return widgets.VBox([widgets.HTML(f"<b>Predict.</b> {html.escape(question)}"), buttons])


def compare(name, found):
    """The prediction kept under this name beside what was found; what was found alone if there is none.

    >>> compare("example", "0.4").data
    'Found: 0.4'
    """
    from IPython.display import Markdown

    kept = _predictions.get(name)
    return Markdown(f"Found: {found}" if kept is None else f"You predicted: *{kept}*; found: {found}")


# Checks of the exercises: each prints, and none raises

BLANK = "Fill in each line that says # fill in, and run the cell again."


def _numbers(function, *arguments, shape, look):
    """(numbers of this shape, "") that the learner's function returns, or (None, what to say)."""
    try:
        with np.errstate(all="ignore"):
            value = function(*(argument.copy() for argument in arguments))
        if "ellipsis" in repr(value).lower():
            return None, BLANK
        value = np.asarray(value, dtype=float)
    except Exception as error:  # the learner's own, of any kind
        if "ellipsis" in str(error).lower():
            return None, BLANK
        return None, f"Not yet: Python stopped with {type(error).__name__}: {error}. {look}"
    if value.shape != shape:
        wanted = f"a matrix of shape {shape}" if shape else "one number"
        return None, f"Not yet: the result should be {wanted}, yours has shape {value.shape}. {look}"
    if not np.isfinite(value).all():
        return None, f"Not yet: the result holds NaN or infinity. Is something divided by 0? {look}"
    return value, ""


def _judge(value, right, slips, *, praise, otherwise):
    """One line about a value: right, the slip of (what to say, wrong value) that it is, or otherwise."""
    if np.allclose(value, right):
        return f"Right: {praise}"
    for said, wrong in slips:
        if np.allclose(value, wrong):
            return f"Not yet: {said}"
    return f"Not yet: {otherwise}"


def check_centre(function):
    """Say how far a learner's centre(K, H) has come: shape, then value, then the likely slip.

    >>> check_centre(lambda K, H: ...)
    Fill in each line that says # fill in, and run the cell again.
    """
    k = gram(np.random.default_rng(5).standard_normal((6, 3)) + 1)  # an offset, so that there is a mean
    h = np.eye(6) - 1 / 6
    value, said = _numbers(function, k, h, shape=k.shape, look="K and H are (n, n); `@` multiplies them.")
    one_side = "H stands on one side: either rows or columns are centred. Put it on the other side too."
    slips = [(one_side, h @ k), (one_side, k @ h),
             ("`*` multiplies entry by entry. The matrix product is `@`.", h * k * h),
             ("that takes away the mean of all entries. Each row and each column has its own mean.",
              k - k.mean()),
             ("row and column means are both gone, and with them the mean of all twice. H does it in one go.",
              k - k.mean(axis=0) - k.mean(axis=1, keepdims=True)),
             ("that is K itself, not centred.", k)]
    print(said or _judge(value, centre(k), slips,
                         praise="every row and every column now sums to 0, so an offset that all examples "
                                "share is gone.",
                         otherwise="the rows of a centred matrix sum to 0; yours sum to as much as "
                                   f"{np.max(abs(np.sum(value, axis=1))):.3g}."))


def check_cka(function):
    """Say how far a learner's CKA of x (n, p) and y (n, q) has come: shape, then value, then the likely slip.

    >>> check_cka(cka)
    Right: CKA is a cosine between centred Gram matrices, so it is 1 for X with itself at any scale.
    """
    rng = np.random.default_rng(6)
    x = rng.standard_normal((12, 4)) + 1
    y = x[:, :3] + rng.standard_normal((12, 3))
    k, l = centre(gram(x)), centre(gram(y))
    inner, sizes = np.sum(k * l), np.linalg.norm(k) * np.linalg.norm(l)
    value, said = _numbers(function, x, y, shape=(),
                           look="K and L are (n, n); `np.sum` and `np.linalg.norm` make one number of each.")
    slips = [("K and L are not centred. `centred_gram` makes one that is.", cosine(gram(x), gram(y))),
             ("one of the Gram matrices is not centred. Both sides need it.", cosine(gram(x), l)),
             ("one of the Gram matrices is not centred. Both sides need it.", cosine(k, gram(y))),
             ("`K @ L` is the matrix product. The inner product multiplies entry by entry: `K * L`.",
              np.sum(k @ l) / sizes),
             ("that is a mean. The inner product is the sum of all products.", inner / sizes / k.size),
             ("K and L are both made of x. L is that of y.", 1),
             ("that is the inner product alone. Divide it by both norms.", inner),
             ("the norms are squared. `np.linalg.norm` is the root already.", inner / sizes**2)]
    print(said or _judge(value, inner / sizes, slips,
                         praise="CKA is a cosine between centred Gram matrices, so it is 1 for X with "
                                "itself at any scale.",
                         otherwise=f"for this pair CKA is {inner / sizes:.3f}, yours is {value:.3g}."))


_CLAIMS = {
    "A": (False, "two values with chance levels as far apart as these cannot be ranked as they stand."),
    "B": (True, "work out p / (n + p) for the first pair, and set its CKA beside it."),
    "C": (True, "work out p / (n + p) for the second pair, and set its CKA beside it."),
    "D": (False, "a value at chance cannot tell. It does not say that there is nothing."),
}


def check_expected(follows):
    """Say which of the claims A to D are wrongly in or missing from a learner's list of those that follow.

    >>> check_expected(["A", "B", "C"])
    Not yet: A does not follow: two values with chance levels as far apart as these cannot be ranked as \
they stand.
    """
    if follows is ...:
        return print(BLANK)
    try:
        given = {letter.strip().upper() for letter in follows}
    except (TypeError, AttributeError):
        return print(f'Not yet: a list of letters is needed, such as ["A", "C"]; received {follows!r}.')
    unknown = sorted(given - set(_CLAIMS))
    if unknown:
        return print(f"Not yet: the claims are A, B, C and D; received {', '.join(unknown)}.")
    lines = []
    for letter, (true, why) in _CLAIMS.items():
        if (letter in given) != true:
            verdict = "follows" if true else "does not follow"
            lines.append(f"Not yet: {letter} {verdict}: {why}")
    print("\n".join(lines) or "Right: a CKA says something only beside the chance level at its own n and p.")


FLAWS = ("no chance level", "n smaller than p", "different examples", "one seed", "none")
_REPORTS = {
    "1": ("no chance level", "which number says what unrelated layers would give? There is none."),
    "2": ("n smaller than p", "set n beside p, and the value beside what shuffled examples give."),
    "3": ("different examples", "look at what each side was shown. Row i must be the same image on both."),
    "4": ("one seed", "how much would the gain change if the net were trained again?"),
    "5": ("none", "go through the list once more. Each point has been seen to."),
}


def check_judge(flaws):
    """Say for each made-up report whether a learner's dict {report: flaw} names its flaw.

    >>> check_judge({"1": ...})
    Fill in each line that says # fill in, and run the cell again.
    """
    if flaws is ...:
        return print(BLANK)
    if not isinstance(flaws, dict):
        return print(f"Not yet: a dict {{report: flaw}} is needed, received {flaws!r}.")
    given = {str(report): flaw for report, flaw in flaws.items()}
    if all(given.get(report, ...) is ... for report in _REPORTS):
        return print(BLANK)
    lines = []
    for report, (flaw, why) in _REPORTS.items():
        answer = given.get(report, ...)
        if answer is ...:
            lines.append(f"Report {report}: {BLANK}")
        elif not isinstance(answer, str) or answer not in FLAWS:
            lines.append(f"Report {report}: not yet: {answer!r} is not in the list: {', '.join(FLAWS)}.")
        elif answer != flaw:
            lines.append(f"Report {report}: not yet: {why}")
    print("\n".join(lines) or "Right: each report has been asked for its chance level, its n and p, its "
                              "examples and its seeds.")
