"""What all drawings share: matplotlib on demand, colours, and labels that stay text."""

import textwrap
import warnings
from unicodedata import category, name

import numpy as np

from .._utils._printable import to_printable, wrap_words

# Okabe and Ito's colours: people with any kind of colour blindness tell them apart.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.55"

# A statement is no formula, whatever dollar signs, percent signs or "_" it holds.
PLAIN = {"parse_math": False, "usetex": False}


def import_pyplot(caller):
    """Import matplotlib, or say what to install for the class that draws."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which is not installed. Install it "
            "(pip install matplotlib)."
        ) from error
    return plt


def choose_axes(ax, caller, figsize, layout="constrained"):
    """Return the Axes given, or those of a new figure where no label is cut off."""
    plt = import_pyplot(caller)
    if ax is None:
        return plt.subplots(figsize=figsize, layout=layout)[1]
    if not _is_axes(ax):
        raise TypeError(
            f"{caller}: ax= expects one matplotlib Axes or None, but "
            f"{type(ax).__name__} arrived."
        )
    return ax


def choose_row_of_axes(ax, n, caller, figsize):
    """Return n Axes side by side that share their y axis; a single one is divided."""
    plt = import_pyplot(caller)
    if ax is None:
        settings = {"sharex": True, "sharey": True, "squeeze": False}
        settings["layout"] = "constrained"
        return list(plt.subplots(1, n, figsize=figsize, **settings)[1][0])
    if _is_axes(ax):
        return [ax] if n == 1 else _divide_axes(ax, n)
    axes = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) != n or not all(map(_is_axes, axes)):
        raise TypeError(
            f"{caller}: ax= expects one matplotlib Axes, a sequence of {n}, or None, "
            f"but {type(ax).__name__} of {len(axes)} arrived."
        )
    return axes


def choose_column_of_axes(ax, n, caller, figsize):
    """Return n Axes below each other that share their x axis."""
    plt = import_pyplot(caller)
    if ax is None:
        settings = {"sharex": True, "squeeze": False, "layout": "constrained"}
        return list(plt.subplots(max(n, 1), 1, figsize=figsize, **settings)[1][:n, 0])
    axes = [ax] if _is_axes(ax) else list(np.ravel(np.asarray(ax, dtype=object)))
    if len(axes) != n or not all(map(_is_axes, axes)):
        raise TypeError(
            f"{caller}: ax= expects {n} matplotlib Axes, or None, but "
            f"{type(ax).__name__} of {len(axes)} arrived."
        )
    return axes


def _is_axes(ax):
    return hasattr(ax, "get_figure") and hasattr(ax, "set_xlabel")


def _divide_axes(ax, n):
    """Cover the given Axes with n smaller ones."""
    ax.set_axis_off()
    gap = 0.06 / n
    width = (1 - gap * (n - 1)) / n
    axes = []
    for i in range(n):
        shared = {"sharex": axes[0], "sharey": axes[0]} if axes else {}
        axes.append(ax.inset_axes([i * (width + gap), 0, width, 1], **shared))
        axes[i].tick_params(labelleft=i == 0)
    return axes


def merge_keywords(artist, defaults, given):
    """Overlay keywords of the user, by whatever alias ("c", "color"), on our own."""
    from matplotlib.cbook import normalize_kwargs

    return normalize_kwargs(defaults, artist) | normalize_kwargs(given or {}, artist)


def draw_circles(ax, x, y, *, filled, size, given):
    """Draw points whose filling means something, which shows in grey, too."""
    from matplotlib.collections import PathCollection

    style = {"s": size, "linewidth": 1.4, "zorder": 3}
    style = merge_keywords(PathCollection, style, given)
    colour = style.pop("color", style.pop("c", BLUE))
    faces = {"facecolor": colour if filled else "white", "edgecolor": colour}
    return ax.scatter(x, y, **(faces | style))


def name_rows(ax, names):
    """Write one wrapped name per row down the y axis, the first on top."""
    ax.set_yticks(range(len(names)), names, **PLAIN)
    ax.set_ylim(max(len(names), 1) - 0.5, -0.5)
    ax.grid(axis="y", color="0.92")  # leads the eye from a long name to its point
    ax.set_axisbelow(True)


def format_log_axis(ax):
    """Write 0.5 and 2, not powers of ten, on a logarithmic x axis."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    low, high = ax.get_xlim()
    if high < 6 * low:  # there may be no 1, 2 or 5 between them
        locator = MaxNLocator(6)
    else:
        locator = LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,))
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def measure_height(names):
    """Return the inches of a figure that has room for these names."""
    per_row = 0.3 + 0.13 * max((n.count("\n") for n in names), default=0)
    return max(2.0, 1.3 + per_row * len(names))


def add_legend(ax, **keywords):
    """Add a legend whose entries stay text."""
    legend = ax.legend(**keywords)
    for text in legend.get_texts():
        text.update(PLAIN)
    return legend


def wrap_label(text, width=52, lines=2):
    """Wrap a statement to a few lines, to be drawn with `PLAIN`; "…" ends a long one.

    A line has at most `width` characters.
    """
    text = _name_missing_glyphs(to_printable(text))
    wrapped = textwrap.wrap(text, width, max_lines=lines, placeholder="…")
    return "\n".join(wrapped)


def wrap_to_width(text, room, size):
    """Wrap a text to lines of so many inches, at a font size in points, whole."""
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties())
    font = font_manager.get_font(path)
    font.set_size(size, 72)

    def measure(line):
        font.set_text(line)
        return font.get_width_height()[0] / 64 / 72  # of 1/64 points

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of glyphs that the font lacks
        return wrap_words(_name_missing_glyphs(to_printable(text)), room, measure)


def _name_missing_glyphs(text):
    """Name the pictures (emoji) that the font lacks: an empty box tells nothing."""
    if text.isascii():
        return text
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties())
    font = font_manager.get_font(path)

    def name_if_missing(character):
        if category(character) != "So" or font.get_char_index(ord(character)):
            return character
        return f"[{name(character, 'symbol').lower()}]"

    return "".join(map(name_if_missing, text))
