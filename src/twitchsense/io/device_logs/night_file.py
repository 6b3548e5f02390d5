"""Night files as captures: samples with UTC times from the fitted device clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError
from twitchsense.io.channels.capture import ColumnMapping
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.device_logs.decoded_device import DecodedDevice, clock_class, describe_battery
from twitchsense.io.device_logs.stated_legs import apply_stated_legs
from twitchsense.model.channels import NS, ClockSource
from twitchsense.model.column_names import ChannelPlan, plan_channels
from twitchsense.model.notes import Note
from twitchsense.nightfile.analysed_streams import GAIN_CURE
from twitchsense.nightfile.column_layout import DeviceColumns, name_columns, v1_device_columns
from twitchsense.nightfile.device_clock import DeviceClock
from twitchsense.nightfile.reader import (
    BootSamples,
    NightFileReader,
    StoredBoot,
)
from twitchsense.nightfile.records import HostClockReading
from twitchsense.nightfile.row_format import REPAIR_NOTE
from twitchsense.nightfile.run_alignment import (
    RunChain,
    align_chains,
    clock_time,
    distinct_steps,
    set_by_wall_clock,
    step_notes,
)
from twitchsense.nightfile.stored_values import read_devices, read_settings, valid_leg
from twitchsense.nightfile.stream_samples import StreamSamples
from twitchsense.text import printable

#: Maximum time between the samples and a connection attempt that counts to the recording.
_MAX_UNCONNECTED_NS: Final = 24 * 3600 * NS
#: Maximum number of markers in the notes; a night usually has a few.
_MAX_MARKERS: Final = 50
#: Maximum number of characters of a marker in the notes.
_MAX_MARKER_CHARS: Final = 200


class NightFileCapture:
    """A night file as a `Capture`.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
        Only gain and legs are used: the names of a night file are those of the package.
    zone : str, optional
        IANA time zone in which the notes show times; UTC by default.

    Raises
    ------
    InputError
        If the file is damaged or holds no samples.
    """

    time_axis = "time_utc"

    def __init__(
        self, path: Path, source: str, mapping: ColumnMapping, zone: str | None = None
    ) -> None:
        self.source = source
        reader = NightFileReader(path)
        try:
            self._load(reader, source, mapping, zone)
        finally:
            reader.close()

    def _load(
        self, reader: NightFileReader, source: str, mapping: ColumnMapping, zone: str | None
    ) -> None:
        boots = [reader.load(boot) for boot in reader.boots]
        self._devices = [
            DecodedDevice(reader, d, source, mapping.gain) for d in read_devices(reader)
        ]
        mapping.gain_used |= any(device.has_counts for device in self._devices)
        self._zone = zone
        self._align_clocks(boots, reader.host_clock_readings())
        settings = read_settings(reader)
        columns = {
            **{b.device: _v1_columns(b, settings.get(b.device, {})) for b in reader.boots},
            **{decoded.device.key: decoded.columns for decoded in self._devices},
        }
        legs, self._leg_notes = apply_stated_legs(
            {key: device.leg for key, device in columns.items()},
            reader.device_addresses(),
            mapping,
            source,
        )
        self._columns = name_columns(
            {key: replace(device, leg=legs[key]) for key, device in columns.items()}
        )
        names = [n for columns in self._columns.values() for c in columns.values() for n in c]
        self.headers: Sequence[str] = tuple(dict.fromkeys(names))
        self.plans: tuple[ChannelPlan, ...] = plan_channels(self.headers, source)
        self._overlapping: Counter[str] = Counter()
        self._battery_percents: dict[str, list[int]] = {}
        for _, device, percent in reader.battery_readings():
            self._battery_percents.setdefault(device, []).append(percent)
        firsts = [decoded.first_ns for decoded in self._devices]
        self._first_ns = [first for first in firsts if first is not None]
        if not (self._boots or self._first_ns) or not self.plans:
            raise self._empty_error()
        markers = [(self._to_utc(at), text) for at, text in _stored_markers(reader)]
        self._marker_notes = _marker_notes(markers + self._button_presses(), zone)
        ends = reader.disconnected_ends()
        self._disconnected_ends = [None if end is None else self._to_utc(end) for end in ends]
        self._damaged = dict(reader.damaged_rows)
        self._repaired = reader.meta.get(REPAIR_NOTE, "")

    def _align_clocks(
        self, boots: Sequence[BootSamples], readings: Sequence[HostClockReading]
    ) -> None:
        """Bring the clocks of all boots and streams onto one, although the host's was set."""
        by_device: dict[str, list[tuple[BootSamples, DeviceClock]]] = {}
        for boot in boots:
            if boot.clock is not None:
                by_device.setdefault(boot.boot.device, []).append((boot, boot.clock))
        chains = [
            RunChain(
                [clock for _, clock in runs], extents_ns=[_extent_ns(boot) for boot, _ in runs]
            )
            for runs in by_device.values()
        ]
        of_boots = list(zip(by_device.values(), chains, strict=True))
        chains += [chain for device in self._devices for chain in device.clock_chains()]
        self._main_chain = align_chains(chains)
        steps = distinct_steps(chains)
        wall_steps, longest = set_by_wall_clock(chains, self._main_chain, readings)
        # without readings, a step forward while a device restarts looks like a longer silence
        has_restarted = any(len(chain.clocks) > 1 for chain in chains)
        is_certain = all(step.error_ns >= 0 for step in steps)
        is_certain &= bool(readings) or not has_restarted
        self._error_scope = "" if is_certain else " within the boot"
        self._step_notes = step_notes(steps + wall_steps, longest, self._zone)
        self._boots = sorted(
            (
                (boot, clock.shifted(shift_ns))
                for runs, chain in of_boots
                for (boot, clock), shift_ns in zip(runs, chain.shifts_ns, strict=True)
            ),
            key=lambda pair: pair[1].origin_ns,
        )
        for device in self._devices:
            device.apply_clock_chains()

    def _to_utc(self, host_ns: int) -> int:
        """Return the UTC of a time of the recorder's clock."""
        return host_ns if self._main_chain is None else self._main_chain.to_utc(host_ns)

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on markers, clocks, batteries and damage."""
        notes = [*self._leg_notes, *self._marker_notes]
        notes += self._step_notes
        for boot, clock in self._boots:
            notes.append(
                f"device {boot.boot.device[-4:]}, boot {boot.boot.count}: clock "
                f"{clock.drift_ppm:+.2f} ± {clock.drift_error_ppm:.2f} ppm, times ± "
                f"{max(1.0, 1000 * clock.error_s):.0f} ms{self._error_scope}"
            )
        notes += [
            f"{name}: {count} samples whose times overlap with those before are left out"
            for name, count in self._overlapping.items()
        ]
        for decoded in self._devices:
            notes += decoded.notes
        decoded_keys = {decoded.device.key for decoded in self._devices}
        for device, percents in self._battery_percents.items():
            if device in decoded_keys:
                continue
            notes.append(f"device {device[-4:]}: {describe_battery(percents)}")
        if self._repaired:
            notes.append(f"{self.source}: {printable(self._repaired)}")
        for table, count in self._damaged.items():
            notes.append(
                Note(
                    "unread", f"{self.source}: {count} rows of table {table} are damaged, left out"
                )
            )
        corrupt = sum(boot.damage.corrupt for boot, _ in self._boots)
        undecodable = sum(boot.damage.undecodable for boot, _ in self._boots)
        if corrupt or undecodable:
            notes.append(
                Note(
                    "unread",
                    f"{self.source}: {corrupt} packets damaged on the disk and "
                    f"{undecodable} that are not frames, left out",
                )
            )
        return tuple(notes)

    def first_time_ns(self) -> int:
        """Return the UTC of the first sample in ns."""
        of_boots = [int(c.to_utc(np.array([b.first_ticks]))[0]) for b, c in self._boots[:1]]
        return min(of_boots + self._first_ns)

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`.

        Returns
        -------
        first_ns, last_ns : int
            Start and end of recording, including the time without a connection at the ends.
        """
        last_ns: dict[str, int] = {}
        for boot, clock in self._boots:
            for samples in boot.streams:
                names = self._columns[boot.boot.device][samples.stream.id]
                first_ns = int(clock.to_utc(np.array([boot.first_ticks]))[0])
                self._add_clock(names, "device", [(first_ns, clock.error_s)], builders)
                self._append_stream(boot.boot, samples, clock, builders, last_ns)
            boot.streams.clear()
        for decoded in self._devices:
            for name in decoded.streams:
                columns = self._columns[decoded.device.key][name]
                stream = decoded.streams[name]
                source = clock_class(stream.spec)
                self._add_clock(columns, source, stream.clock_errors(), builders)
                for times_ns, values in decoded.blocks(name):
                    self._append(columns, times_ns, values, builders, last_ns)
            decoded.streams.clear()
        first, last = self.first_time_ns(), max(last_ns.values(), default=self.first_time_ns())
        attempt, end = self._disconnected_ends
        # a computer whose clock was not set may have stored times of other years
        if attempt is not None and first - _MAX_UNCONNECTED_NS <= attempt:
            first = min(first, attempt)
        if end is not None and end <= last + _MAX_UNCONNECTED_NS:
            last = max(last, end)
        return first, last

    def locate(self, time_ns: int) -> str | None:
        """Return a time as text, for messages."""
        return f"UTC {time_ns / NS:.3f} s"

    def _empty_error(self) -> InputError:
        """Return the error for a night of which nothing can be analysed."""
        left_out = [pair for device in self._devices for pair in device.left_out.items()]
        reasons = [f"{name}: {reason.removesuffix(GAIN_CURE)}" for name, reason in left_out]
        if not reasons:
            return InputError(self.source, "holds no samples yet", "record for a while first")
        return InputError(
            self.source,
            f"holds nothing that can be analysed ({printable('; '.join(reasons))})",
            "give --gain (counts per mV) for EMG without a unit, or record acceleration",
        )

    def _button_presses(self) -> list[tuple[int, str]]:
        """Return the UTC (ns) and a text of each press of a wearable's button."""
        return [
            (time_ns, f"button of device {boot.boot.device[-4:]}")
            for boot, clock in self._boots
            for time_ns in clock.to_utc(np.array(boot.button_ticks, np.int64)).tolist()
        ] + [
            (time_ns, f"button of {decoded.device.label}")
            for decoded in self._devices
            for time_ns in decoded.button_ns
        ]

    def _append_stream(
        self,
        boot: StoredBoot,
        samples: StreamSamples,
        clock: DeviceClock,
        builders: Mapping[str, ChannelBuilder],
        last_ns: dict[str, int],
    ) -> None:
        """Append the samples of one stream, and update the last time of each channel."""
        stream = samples.stream
        names = self._columns[boot.device][stream.id]
        ticks_per_sample = 1000 * boot.info.tick_hz / stream.rate_mhz
        for index, counts in samples.blocks():
            times_ns = clock.to_utc(np.asarray(index * ticks_per_sample, np.float64))
            self._append(names, times_ns, stream.to_physical(counts), builders, last_ns)

    def _add_clock(
        self,
        names: Sequence[str],
        source: ClockSource,
        errors: Sequence[tuple[int, float]],
        builders: Mapping[str, ChannelBuilder],
    ) -> None:
        """State the clock of the channels of a stream, whose columns are `names`."""
        for plan in self.plans:
            if set(plan.names) <= set(names):
                for start_ns, error_s in errors:
                    builders[plan.name].add_clock(source, start_ns, error_s)

    def _append(
        self,
        names: Sequence[str],
        times_ns: NDArray[np.int64],
        values: NDArray[np.float64],
        builders: Mapping[str, ChannelBuilder],
        last_ns: dict[str, int],
    ) -> None:
        """Append samples of a stream, whose columns are `names`."""
        by_name = dict(zip(names, values.T, strict=True))
        for plan in self.plans:
            if not set(plan.names) <= set(names):
                continue
            # the fitted clocks of two boots may overlap slightly; time must increase
            first = int(np.searchsorted(times_ns, last_ns.get(plan.name, times_ns[0] - 1), "right"))
            if first:
                self._overlapping[plan.name] += first
            builders[plan.name].append(times_ns[first:], [by_name[n][first:] for n in plan.names])
            last_ns[plan.name] = max(last_ns.get(plan.name, 0), int(times_ns[-1]))


def _extent_ns(boot: BootSamples) -> tuple[int, int]:
    """Return the times of the first frame and of the end of the last sample of a boot, ns."""
    assert boot.clock is not None
    hz = 1000 * boot.boot.info.tick_hz
    ends = [s.end * hz / s.stream.rate_mhz for s in boot.streams]
    first, last = boot.clock.to_utc(np.array([boot.first_ticks, max([boot.first_ticks, *ends])]))
    return int(first), int(last)


def _v1_columns(boot: StoredBoot, settings: Mapping[str, str]) -> DeviceColumns:
    """Return the columns of a v1 wearable, on the leg that the user stated, or its own."""
    columns = v1_device_columns(boot.info)
    return replace(columns, leg=valid_leg(settings.get("leg")) or columns.leg)


def _stored_markers(reader: NightFileReader) -> list[tuple[int, str]]:
    """Return the UTC (ns) and the text of the markers set on the computer."""
    return [(time_ns, text[:_MAX_MARKER_CHARS]) for _, time_ns, text in reader.rows("marker")]


def _marker_notes(markers: list[tuple[int, str]], zone: str | None) -> list[str]:
    """Return notes on the first markers, with printable text, and the number of the others."""
    notes = []
    for time_ns, text in sorted(markers)[:_MAX_MARKERS]:
        notes.append(f"marker at {clock_time(time_ns, zone)}: {printable(text)}")
    if len(markers) > _MAX_MARKERS:
        notes.append(f"{len(markers) - _MAX_MARKERS} more markers are in the night file")
    return notes
