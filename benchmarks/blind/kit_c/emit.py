"""Put an event on the bench and write its row, checked against the letter of the criteria."""

from __future__ import annotations

import numpy as np

from .bench import Bench
from .types import Array, Truth
from .waves import add_at

Pieces = list[tuple[float, Array]]


def joined(b: Bench, acc: Pieces) -> Array:
    """Several three-axis accelerations (delays in s) in one array."""
    n = max(round(d * b.ai) + a.shape[1] for d, a in acc)
    out = np.zeros((3, n))
    for d, a in acc:
        for k in range(3):
            add_at(out[k], round(d * b.ai), a[k])
    return out


def emit(b: Bench, kind: str, t: float, waveform: str, emg: Pieces, acc: Pieces | None = None,
         in_activity: bool = False, note: str = "") -> float:
    """Add EMG pieces and accelerations (each with its delay after ``t``), append a row, return the end (s).

    A row becomes ``unclear`` where what the recorder keeps contradicts its kind: a twitch over 155 ms,
    a jerk kept under 0.10 g (0.15 g without EMG) or 5 g/s, or longer than 310 ms a burst, a brief contraction out of 150–500 ms.
    """
    notes, starts, ends, pps, snrs, longest = [note] if note else [], [], [], [], [], 0.0
    if b.emg is not None:
        for d, x in emg:
            b.put_emg(t + d, x)
            o, dur, pp, ppb = b.measure(x, t + d)
            starts.append(t + d + o)
            ends.append(t + d + o + dur)
            longest = max(longest, dur)
            pps.append(pp)
            snrs.append(ppb / b.noise_rms)
            if np.abs(b.record(x)).max() > b.emg.full_uv:
                notes.append("clipped_emg")
    peak = kept = jerk = 0.0
    if b.acc is not None and acc:
        a = joined(b, acc)
        b.put_acc(t, a)
        norm = np.linalg.norm(a, axis=0)
        peak = float(norm.max())
        kept, jerk = b.kept_g(a)
        notes.append(f"kept_g={kept:.3f} kept_jerk={jerk:.1f}")
        if kept + 1 > b.acc.full_g:
            notes.append("may_clip_acc")
        if not starts:
            hit = np.flatnonzero(norm >= max(0.005, 0.05 * peak)) / b.ai
            first = hit[0] if hit.size else 0.0
            starts = [t + first] if len(acc) == 1 else [t + d for d, _ in acc]
            ends = [t + (hit[-1] if hit.size else 0.1)]
            longest = 0.0
    if not starts:
        return t
    why = ""
    if kind == "twitch":
        span = max(ends) - min(starts)
        why = "over_155_ms" if span > 0.155 and len(emg) == 1 else ("acc_too_large" if kept > 0.07 else "")
    elif kind == "jerk":
        low = 0.10 if b.emg is not None else 0.15
        why = "kept_acc_below_rule" if kept < low or jerk < 5 else ("burst_over_310_ms" if longest > 0.31 else "")
    elif kind == "brief_contraction":
        why = "" if 0.15 <= longest <= 0.5 else "length_at_limit"
    if why:
        notes.append(f"{kind}_but_{why}")
        kind = "unclear"
    order = np.argsort(starts)
    b.truth.append(Truth(
        float(min(starts)), float(max(ends) - min(starts)), kind, waveform, float(max(pps, default=0.0)),
        float(max(snrs, default=0.0)), peak, tuple(float(starts[i]) for i in order) if kind in ("twitch", "jerk", "unclear")
        else (float(min(starts)),), in_activity, " ".join(notes)))
    return max(float(max(ends)), t + (joined(b, acc).shape[1] / b.ai if acc and b.acc is not None else 0.0))


def row(b: Bench, t: float, duration: float, kind: str, cause: str, uv: float = 0.0, g: float = 0.0,
        in_activity: bool = False, note: str = "") -> None:
    """A plain row for something not rendered by :func:`emit`."""
    b.truth.append(Truth(t, duration, kind, cause, uv, uv / b.noise_rms, g, (t,), in_activity, note))
