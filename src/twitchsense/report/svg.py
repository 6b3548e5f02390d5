"""A figure as an image that stands inside an HTML page."""

from __future__ import annotations

import base64
import io
import re
from typing import Any, Final, Literal

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from twitchsense.report.palette import GRID, INK

#: Text stays text (small, crisp, in the reader's own font); ids are the same every time.
_RC: Final[dict[Any, Any]] = {"svg.fonttype": "none", "svg.hashsalt": "twitchsense"}
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def new_figure(width: float, height: float, *, fitted: bool = True) -> Figure:
    """Return a figure (inches) that belongs to no window and no global state.

    A `fitted` figure finds its own margins, which takes most of its time.
    """
    layout: Literal["constrained"] | None = "constrained" if fitted else None
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def own_axes(width: float, height: float) -> Axes:
    """Return axes of a figure (inches) that a notebook shows by itself, and a script can show."""
    import matplotlib.pyplot as plt  # takes a while, and the report never needs it

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()


def tidy(ax: Axes) -> None:
    """Leave of an axes' frame what is read: two thin lines and small numbers."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID)
    ax.tick_params(labelsize=8, length=2, color=GRID, labelcolor=INK)


def to_svg(figure: Figure) -> str:
    """Return the figure as SVG text."""
    buffer = io.StringIO()
    with rc_context(_RC):
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # two decimals of a point are finer than any screen
    text = re.sub(r"(\d+\.\d\d)\d+", r"\1", text)
    return re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", rf"font: \1{_FONTS}", text)


def data_uri(figure: Figure) -> Markup:
    """Return the figure as a ``data:`` address for ``<img src>``."""
    encoded = base64.b64encode(to_svg(figure).encode()).decode("ascii")
    return Markup("data:image/svg+xml;base64," + encoded)  # base64 needs no escapes
