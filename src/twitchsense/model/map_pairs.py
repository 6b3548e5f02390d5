"""Pairs of the option ``--map``, which states what the columns of a file are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from twitchsense.errors import InputError

#: A pair of ``--map`` whose header stands in quotation marks.
_QUOTED_PAIR: Final = re.compile(r'\s*"(?:[^"]|"")+"\s*=[^"]*')


def typed_map(header: str, name: str, *more: str) -> str:
    """Return the option that maps columns, as it is typed in a shell.

    Parameters
    ----------
    header : str
        Name of the column in a file.
    name : str
        Name in this package, or ``ignore``.
    *more : str
        Further columns that get the same name: only for ``ignore``.

    Returns
    -------
    str
        Such as ``--map 'EMG (uV)=emg1_uv'``.
    """
    pairs = ",".join(f"{_quoted(h)}={name}" for h in (header, *more))
    return "--map '" + pairs.replace("'", "'\"'\"'") + "'"


def _quoted(header: str) -> str:
    if header.startswith('"') or ("," in header and "=" in header):
        return '"' + header.replace('"', '""') + '"'
    return header


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """Parse ``--map "Time=time_s,EMG(uV)=emg1_uv"``.

    A comma ends a pair only after an ``=``, so a header may hold commas; the last ``=`` of a
    pair counts. A header with both stands in quotation marks (``"a=1,b"=emg1_uv``), in which
    two are one.

    Parameters
    ----------
    pairs : sequence of str
        Values of the option, each with one or more pairs.

    Returns
    -------
    dict of str to str
        Foreign header to column name.

    Raises
    ------
    InputError
        For a pair without ``=``, or with an empty side.
    """
    columns: dict[str, str] = {}
    for pair in (pair for text in pairs for pair in _split_pairs(text)):
        header, equals, column = (part.strip() for part in pair.rpartition("="))
        if not (equals and header and column):
            raise InputError(
                "--map", f"{pair!r} is not a pair", 'write "Time=time_s,EMG(uV)=emg1_uv"'
            )
        if len(header) > 2 and header[0] == header[-1] == '"':
            header = header[1:-1].replace('""', '"')
        columns[header] = column
    return columns


def _split_pairs(text: str) -> Iterator[str]:
    """Yield the pairs of one ``--map``, and what is left without ``=``."""
    pair: str | None = None
    for part in text.split(","):
        pair = part if pair is None else f"{pair},{part}"
        quoted = pair.lstrip().startswith('"')
        if _QUOTED_PAIR.fullmatch(pair) if quoted else "=" in pair:
            yield pair
            pair = None
    if pair is not None:
        yield pair
