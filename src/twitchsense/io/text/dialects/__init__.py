"""Dialects of text captures: what devices and programs of one maker write.

Each dialect is one function in one file. It gets the first lines of a file and returns how
the file is read, or None if another program wrote it. To add one, write the function and add
it to `DIALECTS`; ``docs/captures.md`` shows an example.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.tables.table_layout import is_header
from twitchsense.io.tables.time_reading import ANY_TIME
from twitchsense.io.tables.unit_columns import stated_units
from twitchsense.io.text.csv_dialect import CsvDialect, header_dialect
from twitchsense.io.text.csv_head import FileHead
from twitchsense.io.text.dialects.actigraph_text import actigraph_text
from twitchsense.io.text.dialects.empatica import empatica_e4
from twitchsense.io.text.dialects.geneactiv_text import geneactiv_text
from twitchsense.io.text.dialects.noraxon_text import noraxon_text
from twitchsense.io.text.dialects.openbci import brainflow_rows, openbci_text
from twitchsense.io.text.dialects.opensignals_text import opensignals_text
from twitchsense.io.text.dialects.polar_logger import polar_logger
from twitchsense.io.text.dialects.shimmer_consensys import shimmer_consensys
from twitchsense.io.text.dialects.trigno import trigno
from twitchsense.io.text.dialects.unit_headers import unit_headers
from twitchsense.io.text.dialects.unsupported_text import unsupported_text
from twitchsense.io.text.dialects.xyz_table import xyz_table
from twitchsense.io.text.header_rate import stated_rate

log = logging.getLogger(__name__)

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")

#: Returns how a file is read, or None if it has another dialect.
DialectFinder = Callable[[FileHead], CsvDialect | None]

#: Dialects in the order in which they are tried.
DIALECTS: Final[tuple[DialectFinder, ...]] = (
    unsupported_text,
    opensignals_text,
    openbci_text,
    actigraph_text,
    geneactiv_text,
    polar_logger,
    empatica_e4,
    trigno,
    shimmer_consensys,
    brainflow_rows,
    noraxon_text,
    unit_headers,
    xyz_table,
)


def find_dialect(head: FileHead, mapping: ColumnMapping) -> CsvDialect:
    """Find the dialect of a text file.

    A function that fails with `IndexError` has not recognised the file; a warning names it.

    Parameters
    ----------
    head : FileHead
    mapping : ColumnMapping
        What the user states about the columns.

    Returns
    -------
    CsvDialect

    Raises
    ------
    InputError
        If the file has no header that can be used, or is of a known maker and holds no
        signal that this package reads.
    """
    for find in DIALECTS:
        try:
            dialect = find(head)
        except IndexError as error:  # a function that expects more lines than the file has
            log.warning("%s: not read as %s (%s)", head.source, find.__name__, error)
            continue
        if dialect is not None:
            return _with_rate(head, dialect)
    dialect = header_dialect(head, lambda names: is_header(names, mapping))
    units = stated_units(dialect.headers)  # of columns besides those that the user maps
    if units.names:
        dialect = replace(
            dialect, names=units.names, transfers=units.transfers, ignored=units.others,
            notes=units.notes,
        )  # fmt: skip
    return _with_rate(head, _with_index(head, dialect))


def _with_rate(head: FileHead, dialect: CsvDialect) -> CsvDialect:
    """Return a dialect with the rate that its header states."""
    header = [line for line in head.lines if line.number <= dialect.header_line]
    return replace(dialect, header_fs=stated_rate(header))


def _with_index(head: FileHead, dialect: CsvDialect) -> CsvDialect:
    """Return a dialect in which an index of dates without a name, as of pandas, is the time."""
    row = next(iter(head.rows(dialect.body, dialect.separator, 1)), [])
    named = any(h.casefold().startswith("time") for h in dialect.headers)
    if dialect.headers[0] or named or not row or not _DATE.match(row[0]):
        return dialect
    headers = (ANY_TIME, *dialect.headers[1:])
    return replace(dialect, headers=headers, names={ANY_TIME: ANY_TIME})
