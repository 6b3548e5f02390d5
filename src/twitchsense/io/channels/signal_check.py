"""Checks whether the samples of a channel look like those of the sensor that its name states.

Windows spread over the recording are examined. What looks wrong becomes a note with the
likely cause and the cure; no sample is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.model.channels import Segment
from twitchsense.model.column_names import SCALES, ChannelPlan
from twitchsense.model.notes import Note

Floats = NDArray[np.float64]

#: Number and length (s) of the windows.
_WINDOWS: Final = 24
_WINDOW_S: Final = 2.0
#: Number of values below which a channel is no measurement.
_MAX_LEVELS: Final = 4
#: Share of the steps between changes that are no multiples, where values stand several times.
_MAX_OFF_STEP: Final = 0.02
#: Share of samples at the lowest or the highest value from which a note is written.
MAX_CLIPPED: Final = 0.01
#: Mains frequencies, Hz.
MAINS_HZ: Final = (50.0, 60.0)
#: Half width (Hz) of a line of the spectrum.
_LINE_HZ: Final = 1.0
#: Lowest frequency (Hz) of EMG in the spectrum.
_LOWEST_HZ: Final = 10.0
#: Share of the power in the mains and its harmonics that leaves no room for EMG.
_MAX_HUM: Final = 0.9
#: Share of the power of a line at half or twice the mains frequency that is noted, and the
#: largest share of the mains frequency itself.
_FALSE_LINE: Final = 0.05
_NO_LINE: Final = 0.005
#: RMS (µV) at rest beyond which EMG in µV is implausible, and below which it is.
_MAX_REST_UV: Final = 1000.0
_MIN_RMS_UV: Final = 0.2
#: RMS (µV) of EMG at rest; of several possible units, the one nearest to it is suggested.
_TYPICAL_RMS_UV: Final = 5.0
#: Mean in standard deviations below which values without a negative one are rectified EMG or
#: an envelope; an offset of a converter is far more.
_MAX_RECTIFIED_MEAN: Final = 5.0
#: Resolutions (bits) of converters.
_CONVERTER_BITS: Final = (8, 10, 12, 14, 16, 18, 20, 24)


def signal_notes(
    plan: ChannelPlan, segments: Sequence[Segment], fs: float, *, is_night: bool = False
) -> list[str]:
    """Return notes on a channel whose samples look wrong.

    Parameters
    ----------
    plan : ChannelPlan
    segments : sequence of Segment
        All segments of the channel.
    fs : float
        Sampling rate in Hz.
    is_night : bool
        Whether a night file holds the channel: its unit and rate are those of the device, and
        nothing renames it.

    Returns
    -------
    list of str
    """
    windows = _read_windows(segments, round(_WINDOW_S * fs))
    if not windows:
        return []
    name = plan.name
    joined = np.concatenate(windows)
    levels = max(len(np.unique(joined[:, axis])) for axis in range(joined.shape[1]))
    if 1 < levels <= _MAX_LEVELS:
        return [
            Note(
                "signal",
                f"{name}: takes only {levels} values, so it is not {plan.kind.upper()}; check "
                "which column this is, and the sensor",
            )
        ]
    held = _held_note(name, windows, fs)
    if plan.kind != "emg":
        return held
    signals = [w[:, 0] - w[:, 0].mean() for w in windows]
    notes = held + _count_note(plan, joined[:, 0])
    notes += _rectified_note(plan, joined[:, 0])
    rms = [float(np.sqrt((x * x).mean())) for x in signals]
    notes += _level_notes(plan, rms, is_night=is_night)
    low, high = joined[:, 0].min(), joined[:, 0].max()
    clipped = max(float((joined[:, 0] == low).mean()), float((joined[:, 0] == high).mean()))
    if clipped > MAX_CLIPPED and levels > 4 * _MAX_LEVELS:
        notes.append(
            Note(
                "signal",
                f"{name}: {clipped:.1%} of the samples are at the limit of {low:.4g} to {high:.4g} "
                "uV; the amplifier is overloaded: check the contact, or lower the gain",
            )
        )
    return notes + _spectrum_notes(name, signals, fs, is_night=is_night)


def _read_windows(segments: Sequence[Segment], length: int) -> list[Floats]:
    """Return windows that are spread evenly over the samples of the segments."""
    long = [s for s in segments if len(s.samples) >= length]
    counts = np.array([len(s.samples) // length for s in long], np.int64)
    total = int(counts.sum())
    if not total:
        return []
    ends = np.cumsum(counts)
    windows = []
    for k in np.unique(np.linspace(0, total - 1, _WINDOWS).astype(np.int64)).tolist():
        i = int(np.searchsorted(ends, k, "right"))
        start = (k - int(ends[i] - counts[i])) * length
        windows.append(long[i].samples.read(start, start + length).astype(np.float64))
    return windows


def _held_note(name: str, windows: Sequence[Floats], fs: float) -> list[str]:
    """Return a note if each value stands several times, as after conversion to a higher rate."""
    changes = [np.flatnonzero((np.diff(w, axis=0) != 0).any(axis=1)) for w in windows]
    steps = np.concatenate([np.diff(c) for c in changes])
    times = int(np.median(steps)) if len(steps) else 1
    if times < 2 or (steps % times != 0).mean() > _MAX_OFF_STEP:
        return []
    return [
        Note(
            "signal",
            f"{name}: each value stands {times} times, so the true sampling rate is "
            f"{fs / times:.6g} Hz: keep one row in {times}, or give the recording as it was before "
            "the conversion",
        )
    ]


def _count_note(plan: ChannelPlan, values: Floats) -> list[str]:
    """Return a note if the values look like counts of a converter."""
    numbers = values / plan.specs[0].scale
    if plan.specs[0].unit != "uv" or (numbers != np.rint(numbers)).any() or numbers.min() < 0:
        return []
    middle = float(numbers.mean())
    bits = next((b for b in _CONVERTER_BITS if abs(middle / 2 ** (b - 1) - 1) < 0.15), None)
    if bits is None or numbers.max() >= 2**bits or middle < 10 * float(numbers.std()):
        return []
    return [
        Note(
            "unit",
            f"{plan.name}: whole numbers around {middle:.4g} look like counts of a converter of "
            f"{bits} bits, not uV; convert them with the gain of the amplifier",
        )
    ]


def _rectified_note(plan: ChannelPlan, values: Floats) -> list[str]:
    """Return a note if EMG is rectified or an envelope: raw EMG lies on both sides of zero."""
    if values.min() < 0 or values.mean() >= _MAX_RECTIFIED_MEAN * values.std():
        return []
    return [
        Note(
            "signal",
            f"{plan.name}: has no negative values, as if it were rectified or an envelope; "
            "amplitudes and shapes of twitches are wrong: export the raw EMG",
        )
    ]


def _level_notes(plan: ChannelPlan, rms: Sequence[float], *, is_night: bool) -> list[str]:
    """Return a note if the level at rest is that of another unit."""
    rest, median = float(np.percentile(rms, 10)), float(np.median(rms))
    unit = plan.specs[0].unit
    question = f"is {plan.names[0]} really in {unit}? "
    check_device = "check the contact of the electrodes, and the gain if one was stated"
    if is_night:
        question = ""
    if rest > _MAX_REST_UV:
        cure = _name_cure(plan, rest) or "if it is in nV or counts, convert it"
        if is_night:
            cure = check_device
        return [
            Note(
                "unit",
                f"{plan.name}: {rest:.4g} uV RMS at rest is more than any muscle at rest; "
                f"{question}{cure}",
            )
        ]
    if 0 < median < _MIN_RMS_UV:
        cure = _name_cure(plan, median) or "check the gain"
        if is_night:
            cure = check_device
        return [
            Note(
                "unit",
                f"{plan.name}: {median:.2g} uV RMS is less than the noise of an amplifier; "
                f"{question}{cure}",
            )
        ]
    return []


def _name_cure(plan: ChannelPlan, level_uv: float) -> str:
    """Return the name with the unit that makes a level plausible; empty if none does."""
    spec = plan.specs[0]
    levels = {u: level_uv * scale / spec.scale for u, scale in SCALES["emg"].items()}
    fine = [u for u, level in levels.items() if _MIN_RMS_UV <= level <= _MAX_REST_UV]
    if not fine:
        return ""
    unit = min(fine, key=lambda u: abs(np.log(levels[u] / _TYPICAL_RMS_UV)))
    stem = spec.canonical.rpartition("_")[0]
    return f"if it is in {unit[:-1]}V, name it {stem}_{unit}"


def _spectrum_notes(
    name: str, signals: Sequence[Floats], fs: float, *, is_night: bool
) -> list[str]:
    """Return notes on mains hum that leaves no EMG, or stands at the wrong frequency."""
    n = len(signals[0])
    frequencies = np.fft.rfftfreq(n, 1 / fs)
    window = np.hanning(n)
    power = np.median([np.abs(np.fft.rfft(x * window)) ** 2 for x in signals], axis=0)
    power[frequencies < _LOWEST_HZ] = 0
    total = float(power.sum())
    if not total:
        return []

    def share(*lines: float) -> float:
        near = np.zeros(len(frequencies), bool)
        for line in lines:
            near |= np.abs(frequencies - line) <= _LINE_HZ
        return float(power[near].sum()) / total

    for mains in MAINS_HZ:
        harmonics = np.arange(mains, fs / 2, mains).tolist()
        if share(*harmonics) > _MAX_HUM:
            return [
                Note(
                    "signal",
                    f"{name}: almost only mains hum of {mains:g} Hz; an electrode or the reference "
                    "is off: check the contact",
                )
            ]

    def line(frequency: float) -> float:
        """Return the share of a line beyond that of its surroundings."""
        off = np.abs(frequencies - frequency)
        near = off <= _LINE_HZ
        beside = power[(off > 2 * _LINE_HZ) & (off <= 6 * _LINE_HZ)]
        level = float(np.median(beside)) if len(beside) else 0.0
        return (float(power[near].sum()) - level * int(near.sum())) / total

    if max(line(m) for m in MAINS_HZ) < _NO_LINE:
        for mains in MAINS_HZ:
            for factor, word in ((2.0, "half"), (0.5, "twice")):
                if line(mains * factor) > _FALSE_LINE and mains * factor not in MAINS_HZ:
                    cure = f"state it with --fs {fs / factor:.6g}, or correct the time column"
                    if is_night:
                        cure = "check the rate that the device was set to"
                    return [
                        Note(
                            "signal",
                            f"{name}: a line at {mains * factor:g} Hz and none at the mains; if it "
                            f"is mains hum of {mains:g} Hz, the true sampling rate is {word} of "
                            f"{fs:.6g} Hz: {cure}",
                        )
                    ]
    return []
