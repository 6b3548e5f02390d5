"""The interface of a capture reader, and the mapping of foreign column names.

A capture is one input file. Each format has one reader class, which implements `Capture`;
`twitchsense.io.formats` lists the formats, and `twitchsense.io.merge` joins the captures of
one recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from twitchsense.errors import InputError
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.signal_labels import is_not_of_the_leg
from twitchsense.model.column_names import ChannelPlan
from twitchsense.model.notes import Note

#: A column that is mapped to this name is left out.
IGNORE: Final = "ignore"


class Capture(Protocol):
    """One input file, of any format.

    A reader parses the header when it is constructed and the samples when `read_into` is
    called. It raises `InputError` if the file cannot be read as its format.
    """

    @property
    def source(self) -> str:
        """Name of the file in messages."""
        ...

    @property
    def time_axis(self) -> str:
        """``time_s`` (seconds from the start), ``time_utc``, ``time_local`` or ``time_of_day``."""
        ...

    @property
    def plans(self) -> tuple[ChannelPlan, ...]:
        """Channels of the file."""
        ...

    @property
    def headers(self) -> Sequence[str]:
        """All column names, as they stand in the file."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the user."""
        ...

    def first_time_ns(self) -> int:
        """Return the first time of the file in ns, on its time axis."""
        ...

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels.

        Parameters
        ----------
        builders : mapping of str to ChannelBuilder
            By the names of `plans`.

        Returns
        -------
        first_ns, last_ns : int
            First and last time of the file, whether or not a sample was taken then.

        Raises
        ------
        InputError
            If the file is damaged or its times are not usable.
        IrregularSamplingError
            If the timestamps of a channel do not belong to one sampling rate.
        """
        ...

    def locate(self, time_ns: int) -> str | None:
        """Return the place of a time in the file, for messages; None if it has none."""
        ...


class ColumnMapping:
    """What the user states about the columns of a file.

    Parameters
    ----------
    pairs : mapping of str to str, optional
        Name in the file to name in the package (``--map``). Case matters only if two names in
        the file differ in nothing else.
    time_unit : {'s', 'ms', 'us', 'ns'}, optional
        Unit of the time column (``--time-unit``).
    fs : float, optional
        Sampling rate in Hz (``--fs``): of a file without a time column, or to decide between
        two readings of a time column.
    gain : float, optional
        Counts per mV of EMG in counts (``--gain``).
    skip_rows : int
        Lines of a text file to leave out before its header (``--skip-rows``).
    names : sequence of str
        Column names of a text file without a header (``--columns``); a column named
        ``ignore`` is left out.
    leg : {'left', 'right'}, optional
        Leg of channels that name none, and of a night whose devices all name the other one
        (``--leg``).
    legs : mapping of str to str, optional
        Leg by the name of a channel, or by a device of a night: its key, or as ``--device``
        names it.

    Attributes
    ----------
    time_unit : str or None
    fs : float or None
    gain : float or None
    gain_used : bool
        Whether a file has EMG in counts.
    skip_rows : int
    names : tuple of str
    leg : str or None
    legs : mapping of str to str
    devices : set of str
        Names in `legs` that are those of devices.
    unnamed_devices : dict of str to str or None
        Leg of each device of a night that `legs` does not name, by its key.
    lines_used : bool
        Whether a file is text, so that `skip_rows` and `names` apply.
    times_used : bool
        Whether a file is a table, so that `time_unit` and `fs` apply.
    """

    def __init__(
        self,
        pairs: Mapping[str, str] | None = None,
        *,
        time_unit: str | None = None,
        fs: float | None = None,
        gain: float | None = None,
        skip_rows: int = 0,
        names: Sequence[str] = (),
        leg: str | None = None,
        legs: Mapping[str, str] | None = None,
    ) -> None:
        self.leg = leg
        self.legs = legs or {}
        self.devices: set[str] = set()
        self.unnamed_devices: dict[str, str | None] = {}
        self.skip_rows = skip_rows
        self.names = tuple(name.strip() for name in names)
        self.lines_used = False
        self.times_used = False
        self.time_unit = time_unit
        self.fs = fs
        self.gain = gain
        self.gain_used = False
        self._exact = {k.strip(): v.strip() for k, v in (pairs or {}).items()}
        self._folded = {k.casefold(): v for k, v in self._exact.items()}
        self._looked_up: set[str] = set()

    def rename(self, header: str) -> str:
        """Return the package's name of a column, or `header` itself if it is not mapped."""
        self._looked_up.add(header)
        self._looked_up.add(header.casefold())
        return self.preview(header)

    def preview(self, header: str) -> str:
        """Return the same as `rename`; the mapping does not count as used."""
        return self._exact.get(header, self._folded.get(header.casefold(), header))

    def can_rename(self, header: str) -> bool:
        """Return whether a reader looked up a column, so that it can be mapped.

        Parameters
        ----------
        header : str
        """
        return header in self._looked_up

    def check_used(self, source: str, headers: Sequence[str]) -> None:
        """Refuse a mapping of a column that no file has, and a gain that nothing needs.

        Parameters
        ----------
        source : str
            File to name in the message.
        headers : sequence of str
            Column names of all files.

        Raises
        ------
        InputError
            If a mapped column was never looked up, in which case the message lists `headers`;
            or if a gain is stated and no file has EMG in counts, lines or names and no file is
            text, or a unit of time or a rate and no file is a table.
        """
        if self.gain is not None and not self.gain_used:
            raise InputError(
                source, "has no EMG in counts, which --gain is for", "leave out --gain"
            )
        if (self.skip_rows or self.names) and not self.lines_used:
            option = "--columns" if self.names else "--skip-rows"
            raise InputError(source, f"is not a text file, which {option} is for", "leave it out")
        if (self.fs is not None or self.time_unit is not None) and not self.times_used:
            option = "--time-unit" if self.fs is None else "--fs"
            raise InputError(
                source, f"states its own times, so that {option} has no effect", "leave it out"
            )
        for header in self._exact:
            if header.casefold() not in self._looked_up:
                listed = ", ".join(h for h in headers if h) or "none"
                raise InputError(
                    source,
                    f"--map names the column '{header}', which is not in the header",
                    f"choose from: {listed}",
                    "header",
                )


def ignored_columns_note(source: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return a note that names the columns left out, or no note if there are none.

    It questions the result only if one of them may be a signal of the leg.
    """
    if not names:
        return ()
    text = f"{source}: left out: {', '.join(names)} (not known as leg EMG or acceleration)"
    if all(map(is_not_of_the_leg, names)):
        return (text,)
    return (Note("unread", text, "if one of them is of a leg, name it with --map"),)
