"""Joins the captures of one recording: channels are continued from file to file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import Capture
from twitchsense.io.channels.channel_builder import MIN_SAMPLES, ChannelBuilder, ChannelData
from twitchsense.io.channels.gap_detection import IrregularSamplingError
from twitchsense.model.channels import NS
from twitchsense.model.column_names import channel_sort_key
from twitchsense.model.notes import Note
from twitchsense.model.rate_limits import SlowAccelerationError

#: Longest gap (ns) between files with times of day: after a longer one, the later file may be of
#: the evening before.
_MAX_GAP_OF_DAY_NS: Final = 12 * 3600 * NS
#: First and last time of a capture in ns, whether or not a sample was taken then.
Extent = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MergedCaptures:
    """Channels of all files.

    Attributes
    ----------
    data : tuple of ChannelData
    start_utc_ns : int or None
        UTC of the zero of the time axis, if the captures have clock time.
    covers_ns : tuple of int, or None
        Extent of the captures, if it goes beyond the samples; see `Recording.covers_ns`.
    notes : tuple of str
        Remarks for the user.
    """

    data: tuple[ChannelData, ...]
    start_utc_ns: int | None
    covers_ns: tuple[int, int] | None
    notes: tuple[str, ...]


def merge(captures: Sequence[Capture]) -> MergedCaptures:
    """Read captures into one set of channels.

    The order of the captures does not matter. A channel may continue from one file to the
    next, but two files may not hold it at the same time.

    Parameters
    ----------
    captures : sequence of Capture
        At least one.

    Returns
    -------
    MergedCaptures

    Raises
    ------
    InputError
        If files contradict each other, or hold no usable channel.
    """
    first = captures[0]
    for capture in captures[1:]:
        if capture.time_axis != first.time_axis:
            raise InputError(
                capture.source,
                f"has {capture.time_axis} where {first.source} has {first.time_axis}",
                "give all files of a recording the same time column",
                "header",
            )
    ordered = sorted(captures, key=lambda c: (c.first_time_ns(), c.source))
    builders: dict[str, ChannelBuilder] = {}
    extents: list[Extent] = []
    try:
        for capture in ordered:
            _open_builders(capture, builders)
            extents.append(capture.read_into({p.name: builders[p.name] for p in capture.plans}))
        extent = min(e[0] for e in extents), max(e[1] for e in extents)
        if first.time_axis == "time_of_day":
            _check_order_is_known(ordered, extents)
        return _build_channels(builders, ordered, extent)
    except IrregularSamplingError as error:
        raise _input_error(error, ordered) from error


def _check_order_is_known(captures: Sequence[Capture], extents: Sequence[Extent]) -> None:
    """Refuse files with times of day that may lie on either side of midnight."""
    ends = list(accumulate((end for _, end in extents), max))
    for i, capture in enumerate(captures[1:]):
        gap_ns = extents[i + 1][0] - ends[i]
        if gap_ns > _MAX_GAP_OF_DAY_NS:
            raise InputError(
                capture.source,
                f"begins {gap_ns / NS / 3600:.1f} h after the end of {captures[i].source}, or on "
                "the evening before: times of day have no date",
                "write date and time (time_local), or join the files into one",
            )


def _open_builders(capture: Capture, builders: dict[str, ChannelBuilder]) -> None:
    """Create or continue the builder of each channel of a file."""
    for plan in capture.plans:
        builder = builders.get(plan.name)
        if builder is None:
            builders[plan.name] = ChannelBuilder(plan, capture.source)
            continue
        place = f"column {plan.names[0]}"
        if [s.axis for s in builder.plan.specs] != [s.axis for s in plan.specs]:
            raise InputError(
                capture.source,
                f"{plan.name} has other axes than in {builder.source}",
                "give the same axes in every file",
                place,
            )
        if builder.last_ns is not None and capture.first_time_ns() <= builder.last_ns:
            raise InputError(
                capture.source,
                f"{plan.name} is in {builder.source} as well, at the same time",
                "give each signal once, or give the channels different names (emg1, emg2)",
                place,
            )
        builder.continue_with(plan, capture.source)


def _build_channels(
    builders: Mapping[str, ChannelBuilder], captures: Sequence[Capture], extent: Extent
) -> MergedCaptures:
    """Build all channels, except those without samples, and acceleration that is too slow."""
    axis = captures[0].time_axis
    zero_ns = 0 if axis == "time_s" else extent[0]
    kept: list[ChannelBuilder] = []
    notes = [note for capture in captures for note in capture.notes]
    data: list[ChannelData] = []
    too_slow: SlowAccelerationError | None = None
    for builder in sorted(builders.values(), key=lambda b: channel_sort_key(b.plan)):
        count = builder.sample_count
        if count < MIN_SAMPLES and not builder.impossible_count:
            found = f"only {count} samples" if count else "no numbers"
            columns = ", ".join(builder.plan.names)
            notes.append(Note("unread", f"{builder.source}: {found} in {columns}, left out"))
            continue
        try:
            built = builder.build(zero_ns)
        except SlowAccelerationError as error:
            too_slow = error
            notes.append(Note("unread", f"{builder.plan.name}: {error.problem}, left out"))
            continue
        kept.append(builder)
        data.append(built)
        notes.extend(built.notes)
    if not data and too_slow is not None:
        raise too_slow
    if not data:
        names = [n for b in builders.values() for n in b.plan.names]
        most = max(b.sample_count for b in builders.values())
        raise InputError(
            captures[0].source,
            f"too few samples ({most}) to estimate the rate",
            f"give at least {MIN_SAMPLES} rows of numbers in such a column",
            f"column {', '.join(names)}",
        )
    covers_ns = _extent_beyond_samples(kept, data, extent, zero_ns)
    return MergedCaptures(
        tuple(data), zero_ns if axis == "time_utc" else None, covers_ns, tuple(notes)
    )


def _extent_beyond_samples(
    builders: Sequence[ChannelBuilder], data: Sequence[ChannelData], extent: Extent, zero_ns: int
) -> tuple[int, int] | None:
    """Return the extent on the recording's axis if it goes beyond the samples, else None."""
    firsts = [b.first_ns for b in builders if b.first_ns is not None]
    lasts = [b.last_ns for b in builders if b.last_ns is not None]
    first, last = extent
    if not firsts or (first >= min(firsts) and last <= max(lasts)):
        return None
    # rows have the rate of the fastest channel; where there are samples, the fitted rate decides
    row_ns = round(NS / max(d.channel.fs for d in data))
    start = min(d.segments[0].start_ns for d in data)
    if first < min(firsts):
        start = first - zero_ns
    return start, max(last, *lasts) - zero_ns + row_ns


def _input_error(error: IrregularSamplingError, captures: Sequence[Capture]) -> InputError:
    """Return an error that names the file and line where timestamps stop being regular."""
    source, place = captures[0].source, ""
    for capture in captures:
        found = capture.locate(error.time_ns)
        if found:
            source, place = capture.source, f"{found}, "
            break
    return InputError(
        source,
        error.problem,
        error.cure,
        f"{place}column {error.column}",
    )
