"""Create matplotlib figures, style their axes, and export them as SVG for an HTML page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from markupsafe import Markup
from matplotlib import rc_context, rcdefaults
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from twitchsense.report.palette import GRID_COLOR, TEXT_COLOR

#: Text stays text (small, sharp, in the reader's own font); element ids are reproducible.
_SVG_PARAMS: Final[dict[Any, Any]] = {"svg.fonttype": "none", "svg.hashsalt": "twitchsense"}
#: Size of text in the small figures (points): at least 11 px in the columns of the report.
SMALL_TEXT: Final = 9.5
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw under the defaults of matplotlib, whatever the user's matplotlibrc says.

    Figures of the pages are made inside this context, so that equal nights give equal pages.
    """
    with rc_context():
        rcdefaults()
        yield


def new_figure(width: float, height: float, *, constrained: bool = True) -> Figure:
    """Create a figure outside pyplot, without a window.

    Parameters
    ----------
    width, height : float
        Inches.
    constrained : bool
        Whether matplotlib computes the margins (constrained layout), which takes most of
        the time a small figure needs.

    Returns
    -------
    Figure
    """
    layout: Literal["constrained"] | None = "constrained" if constrained else None
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_axes(width: float, height: float) -> Axes:
    """Create axes in a new pyplot figure of the given size in inches."""
    import matplotlib.pyplot as plt  # slow to import, and never needed for the report

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()


def style_axes(ax: Axes) -> None:
    """Reduce the frame of axes to two thin lines and small tick labels."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID_COLOR)
    ax.tick_params(labelsize=SMALL_TEXT, length=2, color=GRID_COLOR, labelcolor=TEXT_COLOR)


def remove_frame(ax: Axes) -> None:
    """Remove the frame of axes, and keep small labels on the left."""
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0, labelsize=8, labelcolor=TEXT_COLOR)


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG text; equal figures give equal text."""
    buffer = io.StringIO()
    with rc_context(_SVG_PARAMS):
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # two decimals of a point are finer than any screen
    text = re.sub(r"(\d+\.\d\d)\d+", r"\1", text)
    return re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", rf"font: \1{_FONTS}", text)


def svg_data_uri(figure: Figure) -> Markup:
    """Return a figure as a ``data:`` URI for ``<img src>``."""
    encoded = base64.b64encode(to_svg(figure).encode()).decode("ascii")
    return Markup("data:image/svg+xml;base64," + encoded)  # base64 needs no escaping
