"""How a session goes, and how long it waits before it tries again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from twitchsense.acquire.frame_queue import Stored


@dataclass(frozen=True)
class Pace:
    """How long to wait before connecting again."""

    first_s: float = 0.5
    most_s: float = 30.0

    def delay(self, failures: int, rng: random.Random) -> float:
        """Return seconds, doubled with every failure, with jitter."""
        most: float = min(self.most_s, self.first_s * 2.0 ** min(failures, 16))
        return most * rng.uniform(0.5, 1.0)


@dataclass
class Progress:
    """What can be shown of a session."""

    connected: bool = False
    connections: int = 0
    battery: int | None = None
    frames: int = 0
    lost: int = 0
    missing: int = 0
    made: int = 0  # frames known to exist, of all boots
    prompt: int = 0  # frames that came as soon as they were made
    last_error: str = ""
    since: float | None = None  # time of the loop at the first connection
    seconds: dict[int, float] = field(default_factory=dict)  # stream -> seconds of samples

    def count(self, stored: Stored) -> None:
        """Count a frame that is new on disk."""
        self.frames += 1
        self.prompt += not stored.frame.replayed
        stream = stored.lane.info.by_id.get(stored.frame.type)
        if stream is not None:
            seconds = len(stored.frame.samples) / stream.fs
            self.seconds[stream.id] = self.seconds.get(stream.id, 0.0) + seconds

    @property
    def valid_s(self) -> float:
        """Seconds of samples of the stream that has fewest."""
        return min(self.seconds.values(), default=0.0)
