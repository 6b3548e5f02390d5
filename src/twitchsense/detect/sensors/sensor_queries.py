"""Queries of the rules on the sensors of a leg: its movement, and whether the EMG is usable.

The queries read a `SensorHistory`: the recent signal while a recording streams, or the whole night
once the offset between the clocks is known (`clock_alignment`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from twitchsense.detect.sensors.emg_quality import EmgQuality
from twitchsense.model.candidates import Envelope
from twitchsense.model.channels import NS

#: Length of the envelope read before the interval in which the peak of a response may lie.
BEFORE_NS: Final = round(0.3 * NS)
#: Length of the envelope read after that interval.
AFTER_NS: Final = round(1.5 * NS)
#: Maximum duration of a dip within a response, s: a swinging leg passes through zero acceleration.
MAX_DIP_S: Final = 0.08
#: Fraction of its peak that the envelope exceeds during a response.
EDGE_FRACTION: Final = 0.2


@dataclass(frozen=True, slots=True)
class AccResponse:
    """Movement of the leg around a peak of acceleration.

    Attributes
    ----------
    peak_g, jerk_g_s : float
        Greatest dynamic acceleration (g) and rate of change (g/s).
    onset_ns, offset_ns : int
        Where the envelope rises above, and falls below, a fifth of the peak.
    resolution_ns : int
        Distance of the samples of the envelope: the uncertainty of the onset.
    rise_ms : float
        Onset to half of the peak, ms.
    """

    peak_g: float
    jerk_g_s: float
    onset_ns: int
    offset_ns: int
    resolution_ns: int = 0
    rise_ms: float = 0.0


class SensorHistory(Protocol):
    """The signals of one leg that are kept in memory."""

    def envelopes(
        self, first_ns: int, last_ns: int, limit_ns: int
    ) -> tuple[Iterable[Envelope], bool]:
        """Return the envelopes around an interval, and whether the leg was still between them.

        The flag is False where the envelope is kept at all times, and True where it is kept only
        around movement.

        Parameters
        ----------
        first_ns, last_ns : int
            Interval in which the peak of a response is sought.
        limit_ns : int
            Samples from here on may not have arrived yet, and are not read.

        Returns
        -------
        envelopes : iterable of Envelope
        still_between : bool
        """
        ...

    def emg_quality(self) -> Iterable[EmgQuality]:
        """Return the quality of the EMG segments.

        Returns
        -------
        iterable of EmgQuality
        """
        ...


@dataclass(frozen=True, slots=True)
class SensorQueries:
    """Queries on the sensors of one leg.

    Attributes
    ----------
    history : SensorHistory
    """

    history: SensorHistory

    def response(self, first_ns: int, last_ns: int, limit_ns: int) -> AccResponse | None:
        """Return the strongest movement whose peak lies in an interval.

        Parameters
        ----------
        first_ns, last_ns : int
            Interval in which the peak is sought.
        limit_ns : int
            Samples from here on may not have arrived yet, and are not read.

        Returns
        -------
        AccResponse or None
            None where no accelerometer covers the interval.
        """
        envelopes, still_between = self.history.envelopes(first_ns, last_ns, limit_ns)
        found = [find_response(e, first_ns, last_ns) for e in envelopes]
        strongest = max((r for r in found if r), key=lambda r: r.peak_g, default=None)
        if strongest is None and still_between:
            return AccResponse(0.0, 0.0, first_ns, first_ns)
        return strongest

    def emg_usable(self, time_ns: int) -> bool:
        """Whether a usable EMG channel of the leg covers a time.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        bool
        """
        return any(q.usable(time_ns) for q in self.history.emg_quality())

    def emg_shows_jerks(self, time_ns: int) -> bool:
        """Whether an EMG channel of the leg would show the burst of a jerk at a time.

        Parameters
        ----------
        time_ns : int

        Returns
        -------
        bool
        """
        return any(q.shows_jerks(time_ns) for q in self.history.emg_quality())


def find_response(envelope: Envelope, first_ns: int, last_ns: int) -> AccResponse | None:
    """Return the movement whose peak lies in an interval.

    Parameters
    ----------
    envelope : Envelope
    first_ns, last_ns : int
        Interval in which the peak is sought.

    Returns
    -------
    AccResponse or None
        None if the envelope does not reach into the interval.
    """
    values, hop = envelope.magnitude, envelope.hop_ns
    a = max(0, int((first_ns - envelope.start_ns) // hop))
    b = int((last_ns - envelope.start_ns) // hop) + 1
    if len(values[a : max(0, b)]) == 0:
        return None
    peak = a + int(values[a:b].argmax())
    dip = max(1, round(MAX_DIP_S * NS / hop))
    above = (values > EDGE_FRACTION * values[peak]).nonzero()[0]
    breaks = (above[1:] - above[:-1] > dip).nonzero()[0]
    k = int(breaks.searchsorted(above.searchsorted(peak)))
    start = int(above[breaks[k - 1] + 1]) if k > 0 else int(above[0])
    stop = int(above[breaks[k]]) if k < len(breaks) else int(above[-1])
    return AccResponse(
        float(values[peak]),
        float(envelope.jerk[start : stop + 1].max()),
        envelope.start_ns + round(start * hop),
        envelope.start_ns + round((stop + 1) * hop),
        round(max(hop, envelope.resolution_ns)),
        int((values[start : stop + 1] >= values[peak] / 2).argmax()) * hop / 1e6,
    )
