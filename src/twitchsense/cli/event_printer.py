"""The lines of ``record --live``: one per movement on stdout, while it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import click

from twitchsense.acquire.frame_queue import Stored, StoredFrame, StoredPacket
from twitchsense.live.driver_stream import DriverStream
from twitchsense.live.event_updates import EventUpdate
from twitchsense.live.v1_stream import V1Stream
from twitchsense.model.candidates import ScoredCandidate
from twitchsense.model.channels import NS

_HEADER: Final = (
    "Movements in the order in which they are detected; 'late' marks one that was before an "
    "earlier line. A line with 'corrects' or 'withdrawn' changes an earlier line. The result of "
    "`twitchsense analyze` is final."
)


class EventPrinter:
    """Detects movements in the frames of several wearables and prints them on stdout.

    Parameters
    ----------
    on_update : callable, optional
        Called with the key of each movement that is new or has changed, its state, and the
        correction of its times (ns).
    is_silent : bool
        Whether nothing is printed.

    Attributes
    ----------
    n_events : int
        Number of movements printed and not withdrawn.
    """

    def __init__(
        self,
        on_update: Callable[[Hashable, EventUpdate, int], None] | None = None,
        *,
        is_silent: bool = False,
    ) -> None:
        self.n_events = 0
        self._on_update = on_update
        self._is_silent = is_silent
        self._streams: dict[tuple[str, int], V1Stream] = {}
        self._decoded: dict[str, DriverStream] = {}
        self._latest_ns = 0  # onset of the latest movement that was printed
        self._provisional: dict[tuple[str, int, int], str] = {}  # kind as it was printed

    def push(self, frames: list[Stored]) -> None:
        """Process frames that are stored in the night file.

        Parameters
        ----------
        frames : list of StoredFrame or StoredPacket
        """
        by_boot: dict[tuple[str, int], list[StoredFrame]] = {}
        packets: dict[str, list[StoredPacket]] = {}
        for stored in frames:
            if isinstance(stored, StoredPacket):
                packets.setdefault(stored.source.connection.device, []).append(stored)
                continue
            boot = stored.source.boot
            by_boot.setdefault((boot.device, boot.count), []).append(stored)
        for (device, count), received in by_boot.items():
            stream = self._streams.get((device, count))
            if stream is None:
                stream = V1Stream(device, received[0].source.info)
                self._streams[device, count] = stream
            for row in stream.push((s.frame, s.arrival_ns) for s in received):
                self.pass_on(row, (device, count, row.number), stream)

        for device, stored_packets in packets.items():
            settings = stored_packets[0].source.settings
            decoded = self._decoded.setdefault(device, DriverStream(settings))
            for row in decoded.push((s.stream, s.packet) for s in stored_packets):
                self.pass_on(row, (device, 0, row.number), decoded)

    def pass_on(
        self, row: EventUpdate, key: tuple[str, int, int], stream: V1Stream | DriverStream
    ) -> None:
        """Pass a movement on, and print it.

        Parameters
        ----------
        row : EventUpdate
        key : (str, int, int)
            Device, boot count and number of the row.
        stream : V1Stream or DriverStream
            Where it was found.
        """
        drift_ns = stream.drift_ns(row.candidate.onset_ns)
        if self._on_update is not None:
            self._on_update(key, row, drift_ns)
        if not self._is_silent:
            self.print_update(row, key, drift_ns)

    def print_update(self, row: EventUpdate, key: tuple[str, int, int], drift_ns: int = 0) -> None:
        """Print a movement, or the correction of one that was printed.

        Parameters
        ----------
        row : EventUpdate
        key : (str, int, int)
            Device, boot count and number of the row.
        drift_ns : int
            Correction of its times, ns.
        """
        if not self._latest_ns:
            click.echo(_HEADER, err=True)
        previous, candidate = self._provisional.pop(key, ""), row.candidate
        if not row.final:
            self._provisional[key] = candidate.kind
        self.n_events += (0 if row.withdrawn else 1) - (1 if previous else 0)
        if row.withdrawn:
            self._print(candidate, drift_ns, f"withdrawn: {previous}")
        elif previous:
            if previous != candidate.kind:
                self._print(candidate, drift_ns, candidate.kind, f"  (corrects {previous})")
        else:
            is_late = candidate.onset_ns < self._latest_ns
            self._print(candidate, drift_ns, candidate.kind, "  (late)" if is_late else "")
            self._latest_ns = max(self._latest_ns, candidate.onset_ns)

    def _print(
        self, candidate: ScoredCandidate, drift_ns: int, text: str, suffix: str = ""
    ) -> None:
        onset = datetime.fromtimestamp((candidate.onset_ns + drift_ns) / NS, UTC)
        length_s = (candidate.offset_ns - candidate.onset_ns) / NS
        place = f"{candidate.channel} {candidate.leg}".rstrip()
        with suppress(OSError):  # a reader that has gone ends no recording
            click.echo(f"{onset:%H:%M:%S} UTC  {text}  {length_s:.2f} s  {place}{suffix}")
