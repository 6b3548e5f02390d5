"""Several files, one recording: channels joined in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twitchsense.errors import InputError
from twitchsense.io.channel_builder import MIN_SAMPLES, ChannelData, Track
from twitchsense.io.timestamps import UnsteadyRateError
from twitchsense.model.channels import NS
from twitchsense.model.column_names import ChannelPlan, channel_sort_key

#: Times in ns of the first and the last row of a capture, with a signal or without.
Reach = tuple[int, int]


class Capture(Protocol):
    """One input file, whatever its format."""

    @property
    def source(self) -> str:
        """How messages call the file."""
        ...

    @property
    def clock(self) -> str:
        """``time_s`` (from the start) or ``time_utc``."""
        ...

    @property
    def plans(self) -> tuple[ChannelPlan, ...]:
        """Channels of this file."""
        ...

    @property
    def headers(self) -> Sequence[str]:
        """All column names of this file, in its own words."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of this file."""
        ...

    def first_stamp(self) -> int:
        """Return the first time in ns."""
        ...

    def feed(self, tracks: Mapping[str, Track]) -> Reach:
        """Give all samples to the tracks of their channels, and return how far it reaches."""
        ...

    def place(self, time_ns: int) -> str | None:
        """Say where in the file a time is, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Merged:
    """Channels of all files together.

    Attributes
    ----------
    data : tuple of ChannelData
    start_utc_ns : int or None
        UTC of the axis' zero, where captures carry clock time.
    covers_ns : tuple of int
        From when until when the captures reach, with a signal or without.
    notes : tuple of str
    """

    data: tuple[ChannelData, ...]
    start_utc_ns: int | None
    covers_ns: tuple[int, int] | None
    notes: tuple[str, ...]


def merge(captures: Sequence[Capture]) -> Merged:
    """Read captures into one set of channels.

    The order in which captures are given does not matter. A channel may go on
    from one file to the next, but not be in two files at one time.

    Raises
    ------
    InputError
        If files contradict each other, or hold no usable channel.
    """
    first = captures[0]
    for capture in captures[1:]:
        if capture.clock != first.clock:
            raise InputError(
                capture.source,
                f"has {capture.clock} where {first.source} has {first.clock}",
                "give all files of a recording the same time column",
                "header",
            )
    ordered = sorted(captures, key=lambda c: (c.first_stamp(), c.source))
    tracks: dict[str, Track] = {}
    reaches: list[Reach] = []
    try:
        for capture in ordered:
            _open_tracks(capture, tracks)
            reaches.append(capture.feed({p.name: tracks[p.name] for p in capture.plans}))
        first_ns, last_ns = min(r[0] for r in reaches), max(r[1] for r in reaches)
        return _close(tracks, ordered, (first_ns, last_ns))
    except UnsteadyRateError as error:
        raise _locate(error, ordered) from error


def _open_tracks(capture: Capture, tracks: dict[str, Track]) -> None:
    """Make or go on with the track of each channel of a file."""
    for plan in capture.plans:
        track = tracks.get(plan.name)
        if track is None:
            tracks[plan.name] = Track(plan, capture.source)
            continue
        place = f"column {plan.names[0]}"
        if [s.axis for s in track.plan.specs] != [s.axis for s in plan.specs]:
            raise InputError(
                capture.source,
                f"{plan.name} has other axes than in {track.source}",
                "give the same axes in every file",
                place,
            )
        if track.last_ns is not None and capture.first_stamp() <= track.last_ns:
            raise InputError(
                capture.source,
                f"{plan.name} is in {track.source} too, at the same time",
                "give each signal once, or name the channels apart (emg1, emg2)",
                place,
            )
        track.go_on(plan, capture.source)


def _close(tracks: Mapping[str, Track], captures: Sequence[Capture], reach: Reach) -> Merged:
    """Fit clocks, cut segments, and leave out channels without samples."""
    zero = reach[0] if captures[0].clock == "time_utc" else 0
    kept: list[Track] = []
    notes = [note for capture in captures for note in capture.notes]
    data: list[ChannelData] = []
    for track in sorted(tracks.values(), key=lambda t: channel_sort_key(t.plan)):
        if track.rows < MIN_SAMPLES and not track.impossible:
            found = f"only {track.rows} samples" if track.rows else "no numbers"
            notes.append(f"{track.source}: {found} in {', '.join(track.plan.names)}, left out")
            continue
        kept.append(track)
        data.append(track.close(zero))
        notes.extend(data[-1].notes)
    if not data:
        columns = [n for t in tracks.values() for n in t.plan.names]
        count = max(t.rows for t in tracks.values())
        raise InputError(
            captures[0].source,
            f"too few samples ({count}) to know the rate",
            f"give at least {MIN_SAMPLES} rows of numbers with a decimal point",
            f"column {', '.join(columns)}",
        )
    utc = zero if captures[0].clock == "time_utc" else None
    return Merged(tuple(data), utc, _silent_ends(kept, data, reach, zero), tuple(notes))


def _silent_ends(
    tracks: Sequence[Track], data: Sequence[ChannelData], reach: Reach, zero: int
) -> tuple[int, int] | None:
    """Return how far captures reach where that is further than their samples."""
    firsts = [t.first_ns for t in tracks if t.first_ns is not None]
    lasts = [t.last_ns for t in tracks if t.last_ns is not None]
    first, last = reach
    if not firsts or (first >= min(firsts) and last <= max(lasts)):
        return None
    # rows come at the rate of the fastest channel; with samples, the fitted clock decides
    row_ns = round(NS / max(d.channel.fs for d in data))
    start = first - zero if first < min(firsts) else min(d.segments[0].start_ns for d in data)
    return start, max(last, *lasts) - zero + row_ns


def _locate(error: UnsteadyRateError, captures: Sequence[Capture]) -> InputError:
    """Say in which file and line stamps stop being regular."""
    source, place = captures[0].source, ""
    for capture in captures:
        found = capture.place(error.time_ns)
        if found:
            source, place = capture.source, f"{found}, "
            break
    return InputError(
        source,
        error.problem,
        "give each signal one rate: resample it, or split the channel into two names",
        f"{place}column {error.column}",
    )
