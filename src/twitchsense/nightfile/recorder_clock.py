"""The clock of a recorder, which is never set, and how it relates to the clock of the computer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from twitchsense.model.channels import NS
from twitchsense.nightfile.records import HostClockReading

#: Identifies the boot of a computer with Linux.
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: Difference (ns) of two readings above which the clock of the computer was set. It is the delay
#: between reading both clocks on a busy computer.
MIN_STEP_NS: Final = NS // 20


def host_ticks_ns() -> int:
    """Return the time since the start of the computer (ns), in which it may have slept."""
    # CLOCK_MONOTONIC stops while Linux sleeps; that of macOS, unlike `time.monotonic`, does not
    clock_id = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic_ns() if clock_id is None else time.clock_gettime_ns(clock_id)


def host_boot() -> str:
    """Return what identifies this boot of the computer; empty if that is unknown."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class RecorderClock:
    """A clock that is set once, and runs on while the computer sleeps or its clock is set.

    Parameters
    ----------
    last : HostClockReading, optional
        The last reading of the night that is resumed. If the computer was not restarted since,
        the clock goes on as it was.
    """

    def __init__(self, last: HostClockReading | None = None) -> None:
        self._boot = host_boot()
        self._base = time.time_ns() - host_ticks_ns()
        if last is not None and last.boot and last.boot == self._boot:
            self._base = last.time_ns - last.ticks_ns

    def __call__(self) -> int:
        """Return UTC in ns, as far as the computer knew it when the clock was set."""
        return self._base + host_ticks_ns()

    def read(self) -> HostClockReading:
        """Read this clock and that of the computer at the same time."""
        ticks_ns = host_ticks_ns()
        return HostClockReading(self._base + ticks_ns, time.time_ns(), ticks_ns, self._boot)


@dataclass(frozen=True, slots=True)
class WallStretch:
    """A time in which the clock of the computer was not set.

    Attributes
    ----------
    first_ns, last_ns : int
        By the clock of the recorder.
    offset_ns : int
        Clock of the computer minus that of the recorder.
    follows_step : bool
        Whether the clock of the computer was set before it. Otherwise the recorder's was.
    """

    first_ns: int
    last_ns: int
    offset_ns: int
    follows_step: bool = False


def wall_stretches(readings: Sequence[HostClockReading]) -> list[WallStretch]:
    """Return the times between which one of the clocks was set.

    Parameters
    ----------
    readings : sequence of HostClockReading
        In their order.

    Returns
    -------
    list of WallStretch
    """
    stretches: list[WallStretch] = []
    before: HostClockReading | None = None
    for reading in readings:
        offset_ns, last = reading.wall_ns - reading.time_ns, stretches[-1] if stretches else None
        goes_on = before is not None and before.boot == reading.boot
        if before is not None:
            change_ns = reading.time_ns - reading.ticks_ns - before.time_ns + before.ticks_ns
            goes_on = goes_on and abs(change_ns) < MIN_STEP_NS
        if last is not None and goes_on and abs(offset_ns - last.offset_ns) < MIN_STEP_NS:
            stretches[-1] = replace(last, last_ns=reading.time_ns)
        else:
            stretches.append(WallStretch(reading.time_ns, reading.time_ns, offset_ns, goes_on))
        before = reading
    return stretches
