"""What the accelerometer shows around one burst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twitchsense.model.candidates import Envelope
from twitchsense.model.channels import NS

#: Stretches looked at before and after the times in which the peak may lie.
HEAD_NS, TAIL_NS = round(0.3 * NS), round(1.5 * NS)
#: An oscillating leg passes through zero; dips shorter than this don't end a response.
DIP_S = 0.08
#: Part of its peak above which a response to a burst is counted.
RESPONSE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Response:
    """The movement around a peak.

    Attributes
    ----------
    peak_g, jerk_g_s : float
    onset_ns, offset_ns : int
        Where the movement around the peak rises above a fifth of the peak.
    """

    peak_g: float
    jerk_g_s: float
    onset_ns: int
    offset_ns: int


def find_response(trace: Envelope, first_ns: int, last_ns: int) -> Response | None:
    """Return the movement whose peak lies between two times, None if they are outside."""
    values, hop = trace.magnitude, trace.hop_ns
    a = max(0, int((first_ns - trace.start_ns) // hop))
    b = int((last_ns - trace.start_ns) // hop) + 1
    if len(values[a : max(0, b)]) == 0:
        return None
    peak = a + int(values[a:b].argmax())
    dip = max(1, round(DIP_S * NS / hop))
    above = np.flatnonzero(values > RESPONSE_SHARE * values[peak])
    here = int(np.searchsorted(above, peak))
    breaks = np.flatnonzero(np.diff(above) > dip)
    left, right = breaks[breaks < here], breaks[breaks >= here]
    start = int(above[left[-1] + 1]) if len(left) else int(above[0])
    stop = int(above[right[0]]) if len(right) else int(above[-1])
    return Response(
        float(values[peak]),
        float(trace.jerk[start : stop + 1].max()),
        trace.start_ns + round(start * hop),
        trace.start_ns + round((stop + 1) * hop),
    )
