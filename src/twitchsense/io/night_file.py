"""A night file as a capture: samples placed in UTC, given to the tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.channel_builder import Track
from twitchsense.io.column_mapping import HeaderMap
from twitchsense.model.channels import NS
from twitchsense.model.column_names import ChannelPlan, plan_channels
from twitchsense.nightfile.device_clock import TickClock
from twitchsense.nightfile.reader import NightReader, Source, StreamSamples
from twitchsense.text import printable

#: No night waits longer for its wearable.
_MOST_SILENT_NS: Final = 24 * 3600 * NS
#: Markers that are told; a night has a handful.
_MOST_MARKERS: Final = 50


class NightCapture:
    """A night file as `io.merge` takes it.

    Parameters
    ----------
    path : Path
    source : str
        How messages call the file.
    mapping : HeaderMap
    zone : str, optional
        IANA zone in which times of markers are told; UTC without it.
    """

    clock = "time_utc"

    def __init__(
        self, path: Path, source: str, mapping: HeaderMap, zone: str | None = None
    ) -> None:
        self.source = source
        self._reader = NightReader(path)
        names = [n for s in self._reader.sources for c in s.columns.values() for n in c]
        self.headers: Sequence[str] = tuple(dict.fromkeys(names))
        self.plans: tuple[ChannelPlan, ...] = plan_channels(self.headers, source)
        boots = [self._reader.load(s) for s in self._reader.sources]
        self._boots = sorted(
            [(b, b.clock) for b in boots if b.clock is not None], key=lambda pair: pair[1].origin_ns
        )
        self._batteries: dict[str, list[int]] = {}
        for _, device, percent in self._reader.batteries():
            self._batteries.setdefault(device, []).append(percent)
        if not self._boots or not self.plans:
            raise InputError(source, "holds no samples yet", "record for a while first")
        self._markers = _tell_markers(_markers(self._reader) + self._presses(), zone)
        self._silence = self._reader.silence()
        self._reader.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of clocks, losses and damage, and the markers stored."""
        notes = list(self._markers)
        for boot, clock in self._boots:
            notes.append(
                f"device {boot.source.device[-4:]}, boot {boot.source.count}: clock "
                f"{clock.drift_ppm:+.2f} ± {clock.drift_error_ppm:.2f} ppm"
            )
        for device, percents in self._batteries.items():
            notes.append(f"device {device[-4:]}: battery {percents[0]} % to {percents[-1]} %")
        rotten = sum(boot.damage.rotten for boot, _ in self._boots)
        unreadable = sum(boot.damage.unreadable for boot, _ in self._boots)
        if rotten or unreadable:
            notes.append(
                f"{self.source}: {rotten} packets spoiled on the disk and "
                f"{unreadable} that are no frames, left out"
            )
        return tuple(notes)

    def first_stamp(self) -> int:
        """Return the time of the first sample in ns."""
        boot, clock = self._boots[0]
        return int(clock.to_utc(np.array([boot.first_ticks]))[0])

    def _presses(self) -> list[tuple[int, str]]:
        """Return when a wearable's button was pressed, and whose."""
        return [
            (at, f"button of device {boot.source.device[-4:]}")
            for boot, clock in self._boots
            for at in clock.to_utc(np.array(boot.presses, np.int64)).tolist()
        ]

    def feed(self, tracks: Mapping[str, Track]) -> tuple[int, int]:
        """Give all samples to the tracks of their channels.

        Returns
        -------
        first_ns, last_ns : int
            From when until when it was recorded, whether a signal came or not.

        Raises
        ------
        UnsteadyRateError
        """
        last: dict[str, int] = {}
        for boot, clock in self._boots:
            for samples in boot.streams:
                self._feed(boot.source, samples, clock, tracks, last)
            boot.streams.clear()
        first, stop = self.first_stamp(), max(last.values(), default=self.first_stamp())
        since, until = self._silence
        # a computer whose clock was not set yet notes other years
        if since is not None and first - _MOST_SILENT_NS <= since:
            first = min(first, since)
        if until is not None and until <= stop + _MOST_SILENT_NS:
            stop = max(stop, until)
        return first, stop

    def place(self, time_ns: int) -> str | None:
        """Return where a time is."""
        return f"UTC {time_ns / NS:.3f} s"

    def _feed(
        self,
        source: Source,
        samples: StreamSamples,
        clock: TickClock,
        tracks: Mapping[str, Track],
        last: dict[str, int],
    ) -> None:
        stream = samples.stream
        names = source.columns[stream.id]
        plans = [p for p in self.plans if set(p.names) <= set(names)]
        ticks = 1000 * source.info.tick_hz / stream.rate_mhz
        for index, counts in samples.blocks():
            stamps = clock.to_utc(np.asarray(index * ticks, np.float64))
            by_name = dict(zip(names, stream.to_physical(counts).T, strict=True))
            for plan in plans:
                # two boots whose clocks overlap by a hair must not run backwards
                fresh = stamps > last.get(plan.name, np.iinfo(np.int64).min)
                tracks[plan.name].add(stamps[fresh], [by_name[n][fresh] for n in plan.names])
                last[plan.name] = max(last.get(plan.name, 0), int(stamps[-1]))


def _markers(reader: NightReader) -> list[tuple[int, str]]:
    """Return the time and the words of what was marked on the computer."""
    rows = reader.query("SELECT time_ns, substr(text, 1, 200) FROM marker ORDER BY time_ns, id")
    # whatever wrote other times, it was no recorder
    return [(at, str(text)) for at, text in rows if isinstance(at, int) and 0 <= at < 2**62]


def _tell_markers(markers: list[tuple[int, str]], zone: str | None) -> list[str]:
    """Return what was marked in the night, as notes: a few, short and printable."""
    notes = []
    for at, text in sorted(markers)[:_MOST_MARKERS]:
        when = datetime.fromtimestamp(at // NS, ZoneInfo(zone) if zone else UTC)
        notes.append(f"marker at {when:%H:%M:%S}{'' if zone else ' UTC'}: {printable(text)}")
    if len(markers) > _MOST_MARKERS:
        notes.append(f"{len(markers) - _MOST_MARKERS} more markers are in the night file")
    return notes
