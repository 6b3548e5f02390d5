"""Decodes a raw log: one capture for each stream, and a report of what was lost or refused."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twitchsense.devices.contract import Direction, Driver, Ignored, PacketError, SamplePacket
from twitchsense.devices.sample_timing.loss import describe_loss
from twitchsense.devices.streams import SampleClock, SampleCounter, StreamDescription, Timing
from twitchsense.errors import InputError
from twitchsense.io.capture_export import open_csv
from twitchsense.io.device_logs.decoded_stream import DecodedStream
from twitchsense.io.device_logs.raw_log import read_raw_log
from twitchsense.io.device_logs.repeated_values import RepeatedValues
from twitchsense.io.device_logs.shared_clock import fit_clocks
from twitchsense.model.channels import NS
from twitchsense.output_files import staged

log = logging.getLogger(__name__)

#: Name of the report.
REPORT: Final = "decode.json"
#: Refused values that are listed one by one, and kinds of ignored values.
_MAX_LISTED: Final = 1000
#: Rows that are written at once, at least.
_TABLE_ROWS: Final = 50_000
#: First time (s) above which the captures begin at zero instead: a log with Unix times.
_MAX_START_S: Final = 7 * 86400


#: Minimum and maximum number of packets of a stream by which the unit of the times is checked.
_UNIT_PACKETS: Final = (20, 1000)
#: Ratio of the time between two packets to that of their samples, in the median, above which the
#: times are in another unit than seconds.
_MAX_RATIO: Final = 100

Block = tuple[NDArray[np.int64], NDArray[Any]]


@dataclass
class UnusedValues:
    """Values that the driver refused, and those that it read nothing from.

    Attributes
    ----------
    count : int
        Refused values.
    reasons : Counter of str
        Number of refused values by reason.
    listed : list of dict
        Line, characteristic, reason and message of the first refused ones.
    ignored : dict of (str, str) to dict
        By characteristic and reason: both, the number of values, and the first line.
    ignored_count : int
    waiting : int
        Values that wait at the end of the log for a setting that it does not hold.
    """

    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    listed: list[dict[str, Any]] = field(default_factory=list)
    ignored: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ignored_count: int = 0
    waiting: int = 0

    def ignore(self, line: int, characteristic: str, reason: str) -> None:
        """Count a value that the driver read nothing from."""
        self.ignored_count += 1
        key = characteristic, reason
        if key not in self.ignored:
            if len(self.ignored) >= _MAX_LISTED:
                return
            self.ignored[key] = {
                "characteristic": characteristic,
                "reason": reason,
                "count": 0,
                "first_line": line,
            }
        self.ignored[key]["count"] += 1

    def refuse(self, line: int, characteristic: str, error: PacketError) -> None:
        """Count a refused value."""
        self.count += 1
        self.reasons[str(error.reason)] += 1
        if len(self.listed) < _MAX_LISTED:
            self.listed.append(
                {
                    "line": line,
                    "characteristic": characteristic,
                    "reason": str(error.reason),
                    "message": str(error),
                }
            )


def decode_log(path: Path, driver: Driver, out: Path) -> dict[str, Any]:
    """Decode a raw log into captures.

    Parameters
    ----------
    path : Path
        Raw log; see `read_raw_log`.
    driver : Driver
        Driver of the device that the log is of.
    out : Path
        Folder; it is created if it does not exist. One file ``NAME.csv`` for each stream and
        `REPORT` are written, all of them or none.

    Returns
    -------
    dict
        Contents of `REPORT`.

    Raises
    ------
    InputError
        If the log cannot be used, or the folder holds such files already.
    """
    streams, unused, counts, first_ns = _read(path, driver)
    for stream in streams.values():
        stream.finish()
    # of a log without samples that were received, the time is not known
    streams = {name: stream for name, stream in streams.items() if stream.received}
    fit_clocks(streams.values())
    start_ns = first_ns if abs(first_ns) > _MAX_START_S * NS else 0
    report = _report(driver, streams, unused, counts, start_ns)
    names = [REPORT, *(f"{name}.csv" for name in streams)]
    for name in names:
        if (out / name).exists():
            raise InputError(str(out / name), "already exists", "choose another --out")
    with staged(out, replace=False, last=REPORT) as folder:
        for name, stream in streams.items():
            _write_capture(stream, folder / f"{name}.csv", start_ns)
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _read(
    path: Path, driver: Driver
) -> tuple[dict[str, DecodedStream], UnusedValues, Counter[Direction], int]:
    """Decode all values of a log."""
    decoder = driver.make_decoder()
    streams: dict[str, DecodedStream] = {}
    unused = UnusedValues()
    counts: Counter[Direction] = Counter()
    first_ns: int | None = None
    repeated = RepeatedValues(has_rows=True)
    pace: dict[str, list[float]] = {}
    arrivals: dict[str, int] = {}
    for line, message in read_raw_log(path):
        first_ns = message.arrival_ns if first_ns is None else first_ns
        counts[message.direction] += 1
        try:
            if repeated.is_repeated(message):
                raise PacketError("repeated", "repeats the previous value")
            decoded = decoder.push(message)
        except PacketError as error:
            unused.refuse(line, message.characteristic, error)
            continue
        repeated.add(message, decoded, decoder)
        for packet in decoded:
            if isinstance(packet, Ignored):
                unused.ignore(line, message.characteristic, packet.reason)
            elif isinstance(packet, SamplePacket):
                spec = next(s for s in decoder.streams if s.name == packet.stream)
                if spec.name not in streams:
                    streams[spec.name] = DecodedStream(spec)
                _check_settings(str(path), line, streams[spec.name].spec, spec)
                streams[spec.name].push(packet)
                at_ns, period_ns = packet.arrival_ns, len(packet.samples) / spec.fs * NS
                ratios = pace.setdefault(spec.name, [])
                if spec.name in arrivals and period_ns and len(ratios) < _UNIT_PACKETS[1]:
                    ratios.append((at_ns - arrivals[spec.name]) / period_ns)
                arrivals[spec.name] = at_ns
    for name, ratios in pace.items():
        if len(ratios) >= _UNIT_PACKETS[0] and np.median(ratios) > _MAX_RATIO:
            raise InputError(
                str(path),
                f"the times of {name} go {np.median(ratios):.0f} times as fast as its samples",
                "write time_s in seconds",
            )
    unused.waiting = getattr(decoder, "waiting", 0)
    return dict(sorted(streams.items())), unused, counts, first_ns or 0


def _check_settings(
    source: str, line: int, before: StreamDescription, now: StreamDescription
) -> None:
    # the limits say where values are clipped; they do not change what a value means
    if replace(before, limits=None) != replace(now, limits=None):
        what = (
            f"{before.fs:g} to {now.fs:g} Hz"
            if before.fs != now.fs
            else f"resolution {before.resolution:.3g} to {now.resolution:.3g} {now.unit}"
        )
        raise InputError(
            source,
            f"the settings of {now.name} change ({what})",
            "split the log before this line, with the commands that belong to it",
            f"line {line}",
        )


def _write_capture(stream: DecodedStream, path: Path, start_ns: int) -> None:
    with open_csv(path) as write:
        for times_ns, samples in _joined(stream.blocks()):
            table: dict[str, Any] = {"time_s": (times_ns - start_ns) / NS}
            if stream.spec.counts_per_unit == 1:
                values: Any = samples
            else:
                values = stream.spec.to_physical(samples)
            for i, name in enumerate(stream.spec.columns):
                table[name] = values[:, i]
            write(pd.DataFrame(table))


def _joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join small blocks, of which a lossy stream has many, to tables of some thousand rows."""
    pending: list[Block] = []
    rows = 0
    for block in blocks:
        pending.append(block)
        rows += len(block[0])
        if rows >= _TABLE_ROWS:
            yield _concatenate(pending)
            pending, rows = [], 0
    if pending:
        yield _concatenate(pending)


def _concatenate(blocks: list[Block]) -> Block:
    return np.concatenate([t for t, _ in blocks]), np.concatenate([s for _, s in blocks])


def _report(
    driver: Driver,
    streams: dict[str, DecodedStream],
    unused: UnusedValues,
    counts: Counter[Direction],
    start_ns: int,
) -> dict[str, Any]:
    total: Counter[str] = Counter(exact=0, ambiguous=0, unknown=0)
    described: dict[str, Any] = {}
    for name, stream in streams.items():
        spec, loss = stream.spec, stream.loss
        by_class = {"exact": loss.exact, "ambiguous": loss.ambiguous, "unknown": loss.unknown}
        total.update(by_class)
        described[name] = {
            "file": f"{name}.csv",
            "columns": list(spec.columns),
            "rate": spec.fs,
            "unit": spec.unit,
            "samples": stream.received,
            "filled": stream.filled,
            "loss": by_class,
            "gaps": loss.gaps,
            "loss_in_words": describe_loss(loss, stream.received, spec.timing),
            "timing": _describe_timing(spec.timing),
            "runs": len(stream.runs),
            "resolution": spec.resolution,
            "band_hz": list(spec.band_hz),
        }
    return {
        "driver": driver.kind,
        "driver_version": driver.version,
        "streams": described,
        "samples": {name: stream.received for name, stream in streams.items()},
        "loss": dict(total),
        "refused": unused.listed,
        "refused_count": unused.count,
        "refused_reasons": dict(sorted(unused.reasons.items())),
        "ignored": list(unused.ignored.values()),
        "ignored_count": unused.ignored_count,
        "waiting": unused.waiting,
        "values": {str(direction): counts[direction] for direction in Direction},
        "start_s": start_ns / NS,
    }


def _describe_timing(timing: Timing) -> dict[str, Any]:
    """Return what places the samples in time: counter, clock or arrival."""
    match timing:
        case SampleCounter(modulus=modulus):
            return {"by": "counter", "modulus": modulus}
        case SampleClock():
            return {"by": "clock", "epoch": timing.epoch, "sample": timing.sample}
        case _:
            return {"by": "arrival"}
