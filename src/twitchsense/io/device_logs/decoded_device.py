"""A device of a night file that was recorded by its driver: values to streams of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.devices.contract import (
    BatteryLevel,
    ButtonPress,
    Decoded,
    Driver,
    PacketError,
    SamplePacket,
)
from twitchsense.devices.registry import installed_drivers
from twitchsense.devices.sample_timing.loss import describe_loss
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription
from twitchsense.errors import InputError
from twitchsense.io.device_logs.decoded_stream import DecodedStream
from twitchsense.io.device_logs.repeated_values import RepeatedValues
from twitchsense.io.device_logs.shared_clock import fit_clocks
from twitchsense.model.channels import ClockSource
from twitchsense.model.notes import Note
from twitchsense.nightfile.analysed_streams import (
    reason_to_leave_out,
    stated_gain,
    to_column_unit,
    to_column_values,
)
from twitchsense.nightfile.column_layout import DeviceColumns, StreamColumns
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.run_alignment import RunChain
from twitchsense.nightfile.stored_values import StoredDevice, ValueReader
from twitchsense.text import printable

_CLOCK_NAMES: Final = {
    "device": "the device's clock",
    "counter": "the sample counter",
    "arrival": "arrival",
}

Block = tuple[NDArray[np.int64], NDArray[np.float64]]


class DecodedDevice:
    """The streams of one device of a night file.

    Parameters
    ----------
    reader : NightFileReader
    device : StoredDevice
    source : str
        Name of the file in messages.
    gain : float, optional
        Counts per mV of EMG without a unit, in place of the gain in the file.

    Attributes
    ----------
    device : StoredDevice
    streams : dict of str to DecodedStream
        Streams that can be analysed: EMG and acceleration with unit and a supported rate.
    has_counts : bool
        Whether there is EMG without a unit.
    left_out : dict of str to str
        Why a stream cannot be analysed, by its name.
    button_ns : list of int
        Times (UTC, ns) at which the button of the device was pressed.
    notes : list of str
        Remarks on loss, clock, battery, and what is left out.

    Raises
    ------
    InputError
        If the driver is not installed, or fails.
    """

    def __init__(
        self,
        reader: NightFileReader,
        device: StoredDevice,
        source: str,
        gain: float | None = None,
    ) -> None:
        self.device = device
        self.has_counts = False
        self._stated_gain = gain
        self.streams: dict[str, DecodedStream] = {}
        self.left_out: dict[str, str] = {}
        self.button_ns: list[int] = []
        self.notes: list[str] = []
        self._driver = _find_driver(device, source)
        self._chains: dict[str, RunChain] = {}
        self._battery: list[int] = []
        self._refused: Counter[str] = Counter()
        self._other_settings: Counter[str] = Counter()
        decoder = self._driver.make_decoder()
        values = ValueReader(reader, device)
        self._steps = values.remove_clock_steps()
        repeated = RepeatedValues(has_rows=False)
        for _, message in values.messages():
            try:
                if repeated.is_repeated(message):
                    raise PacketError("repeated")
                found = decoder.push(message)
                repeated.add(message, found, decoder)
                for decoded in found:
                    self._add(decoded, decoder.streams)
            except PacketError as error:
                self._refused[str(error.reason)] += 1
            except Exception as error:  # of a driver that this package does not know
                raise InputError(
                    source,
                    f"the driver {device.kind} failed ({error!r})",
                    "update the package of the driver, or report it with this file",
                ) from error
        self._close_streams()
        self._note_values(values)

    @property
    def columns(self) -> DeviceColumns:
        """What the device contributes to the names of columns."""
        return DeviceColumns(
            self.device.leg,
            {
                name: StreamColumns(s.spec.kind, s.spec.width, to_column_unit(s.spec))
                for name, s in self.streams.items()
            },
        )

    @property
    def first_ns(self) -> int | None:
        """UTC of the first sample (ns), or None if there is none."""
        firsts = [next(iter(s.blocks()), None) for s in self.streams.values()]
        return min((int(block[0][0]) for block in firsts if block is not None), default=None)

    def blocks(self, name: str) -> Iterator[Block]:
        """Yield the samples of a stream in blocks, in order of time.

        Parameters
        ----------
        name : str

        Yields
        ------
        times_ns : ndarray of int64, shape (n,)
            UTC.
        values : ndarray of float64, shape (n, width)
            In the unit of the columns.
        """
        stream = self.streams[name]
        for times_ns, samples in stream.blocks():
            yield times_ns, to_column_values(stream.spec, self.device.settings, samples)

    def clock_chains(self) -> list[RunChain]:
        """Return the runs of each stream, to be aligned with those of other devices."""
        self._chains = {
            name: RunChain(list(stream.clocks.values()), self._steps)
            for name, stream in self.streams.items()
        }
        return list(self._chains.values())

    def apply_clock_chains(self) -> None:
        """Take over the aligned clocks."""
        for name, chain in self._chains.items():
            clocks = self.streams[name].clocks
            for run, shift_ns in zip(list(clocks), chain.shifts_ns, strict=True):
                clocks[run] = clocks[run].shifted(shift_ns)
        first = next(iter(self._chains.values()), None)
        if first is not None and first.shifts_ns:
            self.button_ns = [at + first.shifts_ns[0] for at in self.button_ns]

    def _add(self, decoded: Decoded, streams: tuple[StreamDescription, ...]) -> None:
        match decoded:
            case BatteryLevel():
                self._battery.append(decoded.percent)
            case ButtonPress():
                self.button_ns.append(decoded.arrival_ns)
            case SamplePacket():
                spec = next(s for s in streams if s.name == decoded.stream)
                if spec.name not in self.streams:
                    self.streams[spec.name] = DecodedStream(spec)
                stream = self.streams[spec.name]
                if _are_compatible(stream.spec, spec):
                    stream.push(decoded)
                else:
                    self._other_settings[spec.name] += len(decoded.samples)

    def _close_streams(self) -> None:
        """Close the streams, note what is known of them, and drop those left out."""
        label = printable(self.device.label)
        self.has_counts = any(
            s.spec.kind == "emg" and s.spec.unit == "count" for s in self.streams.values()
        )
        if self.has_counts and self._stated_gain is not None:
            self._state_gain(self._stated_gain)
        for name, stream in list(self.streams.items()):
            stream.finish()
            if not stream.received:
                self.left_out[name] = "nothing of it but a log, of which the time is not known"
                self.notes.append(
                    f"{label}, {printable(name)}: not analysed: {self.left_out[name]}"
                )
                del self.streams[name]
        fit_clocks(self.streams.values(), self._steps.at_ns)
        for name, stream in list(self.streams.items()):
            spec = stream.spec
            loss = describe_loss(stream.loss, stream.received, spec.timing)
            error_ms = 1000 * stream.clock_error_s
            if stream.filled:
                loss = f"{stream.filled} samples are from the device's log; after that {loss}"
            clock = f"times by {_CLOCK_NAMES[clock_class(spec)]} ± {max(1.0, error_ms):.0f} ms"
            self.notes.append(f"{label}, {printable(name)}: {loss}; {clock}")
            reason = reason_to_leave_out(spec, self.device.settings)
            if reason:
                self.left_out[name] = reason
                note = f"{label}, {printable(name)}: not analysed: {reason}"
                # streams of other kinds, such as ECG, are never analysed
                is_expected = spec.kind not in ("emg", "acc")
                self.notes.append(note if is_expected else Note("unread", note))
                del self.streams[name]
        for name, count in self._other_settings.items():
            self.notes.append(
                f"{label}, {printable(name)}: {count} samples of other settings (rate, unit or "
                "range) are left out"
            )

    def _state_gain(self, gain: float) -> None:
        before, settings = stated_gain(self.device.settings), dict(self.device.settings)
        self.device = replace(self.device, settings={**settings, "gain": f"{gain:.10g}"})
        stored = "" if before is None else f", in place of {before:g} in the file"
        label = printable(self.device.label)
        self.notes.append(f"{label}: gain of {gain:g} counts per mV, as stated{stored}")

    def _note_values(self, values: ValueReader) -> None:
        label = printable(self.device.label)
        for unit, name in (("counts", "counts"), ("uv", "µV")):
            rms = [self.device.settings.get(f"{part}_{unit}") for part in ("tensed", "rest")]
            if all(rms):
                self.notes.append(
                    f"{label}: before the night, EMG of the tensed calf {printable(str(rms[0]))} "
                    f"{name} RMS, at rest {printable(str(rms[1]))} {name}"
                )
        if self._battery:
            self.notes.append(f"{label}: {describe_battery(self._battery)}")
        if self._refused:
            reasons = ", ".join(f"{n} {printable(r)}" for r, n in sorted(self._refused.items()))
            self.notes.append(f"{label}: values refused by the driver: {reasons}")
        if values.corrupt:
            self.notes.append(
                Note("unread", f"{label}: {values.corrupt} values damaged on the disk, left out")
            )
        if values.dropped:
            self.notes.append(
                f"{label}: {values.dropped} values were received and not stored, because the disk "
                "was too slow"
            )


def describe_battery(percents: Sequence[int]) -> str:
    """Return the first and the last battery reading of a night, in words.

    Parameters
    ----------
    percents : sequence of int
        At least one reading, percent.

    Returns
    -------
    str
        Such as ``battery 87 % to 64 %``; one number if both are equal.
    """
    first, last = percents[0], percents[-1]
    return f"battery {first} %" if first == last else f"battery {first} % to {last} %"


def clock_class(spec: StreamDescription) -> ClockSource:
    """Return what the times of a stream come from: ``device``, ``counter`` or ``arrival``."""
    match spec.timing:
        case SampleClock():
            return "device"
        case SampleCounter():
            return "counter"
        case _:
            return "arrival"


def _find_driver(device: StoredDevice, source: str) -> Driver:
    driver = installed_drivers().get(device.kind)
    if driver is None:
        raise InputError(
            source,
            f"holds a device of the kind {printable(device.kind)!r}, which has no driver here",
            "install the package of the driver",
        )
    return driver


def _are_compatible(a: StreamDescription, b: StreamDescription) -> bool:
    """Return whether samples of two descriptions may stand in one stream."""
    return (a.kind, a.width, a.fs, a.unit, a.counts_per_unit, a.timing) == (
        b.kind, b.width, b.fs, b.unit, b.counts_per_unit, b.timing,
    )  # fmt: skip
