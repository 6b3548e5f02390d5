"""Status of a session, which `record` prints while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from twitchsense.acquire.frame_queue import StoredFrame, StoredPacket


@dataclass
class SessionStatus:
    """State and counts of one wearable's session.

    Attributes
    ----------
    connected : bool
        Whether there is a connection now.
    n_connections : int
        Connections established so far.
    battery : int or None
        Battery level (percent) as last read.
    n_stored, n_lost, n_missing : int
        Frames or packets on disk, frames lost for good, and frames still to be retransmitted.
    n_produced : int
        Frames known to exist, of all boots, without those before the first connection.
    n_live : int
        Frames that arrived as soon as they were produced, without retransmission.
    last_error : str
        Message of the last failure.
    no_adapter_since : float or None
        Time (s) of the event loop since which the adapter of this computer cannot be used;
        None if it can.
    name : str
        Name that the device advertised last.
    rssi : int or None
        Signal strength (dBm) of the last advertisement.
    connected_at : float or None
        Time (s) of the event loop at the first connection.
    loss_text : str
        Loss in words, of devices that do not number frames; empty for others.
    seconds : dict of (int or str) to float
        Seconds of samples on disk, by id or name of the stream.
    """

    connected: bool = False
    n_connections: int = 0
    battery: int | None = None
    n_stored: int = 0
    n_lost: int = 0
    n_missing: int = 0
    n_produced: int = 0
    n_live: int = 0
    last_error: str = ""
    no_adapter_since: float | None = None
    name: str = ""
    rssi: int | None = None
    connected_at: float | None = None
    loss_text: str = ""
    seconds: dict[int | str, float] = field(default_factory=dict)

    def add_frame(self, stored: StoredFrame) -> None:
        """Count a frame that is new on disk."""
        self.n_stored += 1
        self.n_live += not stored.frame.replayed
        stream = stored.source.info.stream_by_id.get(stored.frame.type)
        if stream is not None:
            seconds = len(stored.frame.samples) / stream.fs
            self.seconds[stream.id] = self.seconds.get(stream.id, 0.0) + seconds

    def add_packet(self, stored: StoredPacket) -> None:
        """Count samples that are on disk."""
        self.n_stored += 1
        name = stored.stream.name
        seconds = len(stored.packet.samples) / stored.stream.fs
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @property
    def valid_s(self) -> float:
        """Shortest duration of samples on disk among the streams, s."""
        return min(self.seconds.values(), default=0.0)
