"""Text and tables for a terminal: words are wrapped, tables keep all columns at any width.

Where the output is not a terminal, nothing is wrapped: a sentence is a line, a row is a line.
"""

from __future__ import annotations

import os
import sys
import textwrap
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from twitchsense.text import printable

#: Number of blanks between two columns of a table.
_GAP: Final = 2
#: Width (characters) that text and tables never go below.
_MIN_WIDTH: Final = 20


def terminal_width(*, err: bool = False) -> int | None:
    """Return the width of the terminal in characters.

    Parameters
    ----------
    err : bool
        Standard error instead of standard output.

    Returns
    -------
    int or None
        None if the stream is not a terminal. ``COLUMNS`` takes precedence.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        if not stream.isatty():
            return None
        stated = os.environ.get("COLUMNS", "")
        columns = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno())[0]
    except (OSError, ValueError):
        return None
    return max(columns, _MIN_WIDTH) if columns else 80


def wrap(text: str, width: int | None, indent: str = "") -> str:
    """Wrap a sentence at words.

    Parameters
    ----------
    text : str
    width : int or None
        Characters of a line; None leaves the text as it is.
    indent : str
        Put before every line but the first.

    Returns
    -------
    str
    """
    if width is None:
        return text
    # paths and options are not broken, so that they can be copied
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def format_duration(seconds: float) -> str:
    """Return a duration in s, min or h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def print_text(text: str, *, err: bool = False, indent: str = "", dim: bool = False) -> None:
    """Print a sentence, wrapped at words on a terminal, without control characters.

    Parameters
    ----------
    text : str
    err : bool
        On standard error.
    indent : str
        Put before every line but the first.
    dim : bool
        Less bright, if the terminal has colours.
    """
    shown = wrap(printable(text, "?"), terminal_width(err=err), indent)
    click.echo(click.style(shown, dim=True) if dim and _has_colours(err) else shown, err=err)


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    err: bool = False,
    left: Sequence[int] = (0,),
) -> None:
    """Print a table with all of its columns.

    Columns that do not fit the terminal follow below, with the first column repeated.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str
        As many cells in each row as in the header.
    err : bool
        On standard error.
    left : sequence of int
        Columns that are aligned left; the others are aligned right.
    """
    for line in table_lines(header, rows, terminal_width(err=err), left):
        click.echo(line, err=err)


def table_lines(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    left: Sequence[int] = (0,),
) -> Iterator[str]:
    """Yield the lines of a table; see `print_table`.

    Parameters
    ----------
    header, rows : sequence
        See `print_table`.
    width : int or None
        Characters of a line; None sets no limit.
    left : sequence of int
        Columns that are aligned left.

    Yields
    ------
    str
    """
    cells = [[printable(cell, "?") for cell in row] for row in (header, *rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    for number, block in enumerate(_blocks(widths, width)):
        if number:
            yield ""
        for row in cells:
            parts = [
                row[k].ljust(widths[k]) if k in left else row[k].rjust(widths[k]) for k in block
            ]
            line = (" " * _GAP).join(parts).rstrip()
            # a last column of sentences is wrapped below itself
            indent = " " * (sum(widths[k] + _GAP for k in block[:-1]) if len(block) > 1 else 0)
            too_long = width is not None and len(line) > width and len(indent) < width // 2
            yield from wrap(line, width, indent).split("\n") if too_long else [line]


def _blocks(widths: Sequence[int], width: int | None) -> Iterator[list[int]]:
    """Yield groups of columns that fit beside the first column; a wide last one is alone."""
    block, used = [0], widths[0]
    for k in range(1, len(widths)):
        needed = _GAP + widths[k]
        wraps = k == len(widths) - 1 and widths[k] > (width or 0) // 2
        if width is not None and used + needed > width and len(block) > 1 and not wraps:
            yield block
            block, used = [0], widths[0]
        block.append(k)
        used += needed
    yield block


def open_page(path: Path) -> None:
    """Open a page in the user's browser, or say that there is none.

    Parameters
    ----------
    path : Path
    """
    desktop = sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not (desktop and webbrowser.open(path.resolve().as_uri())):
        print_text("No browser was found here; open the file in one.", err=True)


def _has_colours(err: bool) -> bool:
    stream = sys.stderr if err else sys.stdout
    no_colour = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not no_colour
