"""Measures one burst at full rate: edges, size, and what its spectrum says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.detect.electrode_artifact import (
    ELECTRODE_FEATURES,
    electrode_features,
    electrode_probability,
    hanning,
    width_ms,
)
from twitchsense.dsp.buffers import fast_median, hop_size
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import NS, Channel
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Features of a burst's shape: those of a bad contact, how far it swings to one side, how
#: wide its largest deflection is before any filter, and the sampling rate, on which it
#: hangs what they mean.
WAVEFORM_FEATURES = (*ELECTRODE_FEATURES, "net_area_ratio", "log_main_lobe_width", "log_fs")
#: Window of the envelope on which durations are measured.
WINDOW_S = 0.010
#: Stretch at either end of the samples taken for the level before and after.
LEVEL_S = 0.040
#: The largest deflection before the filter lies no further than this from that behind it.
MAIN_LOBE_S = 0.002
#: Shape: points over this many seconds around the peak.
WAVEFORM_POINTS, WAVEFORM_S = 64, 0.064
#: Rate at which peaks are measured.
PEAK_FS = 4000.0
#: Where more samples than this were changed before a burst, hum is being taken out; a
#: heart's beats are shorter.
MAINS_REMOVED_SHARE = 0.9
#: A burst must last this long before its spectrum can show a mains line.
MAINS_WINDOW_S = 0.5
#: And this long to be told from what the notches leave.
NOTCH_RESIDUE_MIN_S = 0.06


@dataclass(frozen=True, slots=True)
class LocalFloor:
    """Noise floor at the onset of a burst.

    Attributes
    ----------
    centre, spread : float
        Median and robust SD of the envelope of noise, µV.
    """

    centre: float
    spread: float


def measure_burst(
    channel: Channel,
    raw: Floats,
    clean: Floats,
    *,
    number: int,
    inside: tuple[int, int],
    first_ns: int,
    floor: LocalFloor,
    settings: Settings,
) -> Burst:
    """Measure a burst.

    Parameters
    ----------
    channel : Channel
    raw, clean : ndarray, shape (n,)
        Samples around the burst, µV: as recorded, and without mains and ECG.
    number : int
        `Burst.number`.
    inside : (int, int)
        Start and stop of the run of the envelope in them.
    first_ns : int
        Time of the first sample.
    floor : LocalFloor
    settings : Settings

    Notes
    -----
    A causal filter finds the burst. Here, where the signal around it is known, a zero-phase
    filter is used, so that waveform and amplitude are those of the potential.
    """
    fs = channel.fs
    burst = zero_phase(clean, fs)
    share = RINGING_SHARE if mains_removed(raw, clean, inside) else EDGE_SHARE
    begin, end, risen, top = find_edges(burst, inside, fs, floor, settings, share)
    body = burst[begin:end]
    pad = hop_size(WINDOW_S / 2, fs)
    wide = burst[max(0, begin - pad) : end + pad]
    slow = low_frequency_share(clean, burst, (begin, end), fs)
    features = electrode_features(
        clean, burst, (begin, end), fs, low_frequency_share=slow, noise_uv=floor.centre
    )
    peak = begin + int(np.abs(body).argmax())
    waveform_features = [
        *features,
        net_area_ratio(clean, (begin, end), fs),
        log_main_lobe_width(clean, peak, fs),
        np.log(fs),
    ]
    return Burst(
        channel=channel.name,
        number=number,
        onset_ns=first_ns + round(begin * NS / fs),
        offset_ns=first_ns + round(end * NS / fs),
        peak_ns=first_ns + round(peak * NS / fs),
        active_s=(end - begin) / fs,
        amplitude_uv=peak_to_peak(wide, fs),
        rise_ms=max(0.0, (risen - begin) / fs * 1000),
        snr_db=float(20 * np.log10(top / max(floor.centre, 1e-6))),
        floor_uv=floor.centre,
        low_frequency_share=slow,
        waveform_features=np.array(waveform_features, np.float32),
        log_frequency=log_frequency(wide, fs),
        electrode_probability=electrode_probability(features, (end - begin) / fs, fs),
        mains_share=max(
            mains_share(body, fs), notch_residue_share(raw[begin:end], clean[begin:end], fs)
        ),
        saturated=is_saturated(raw[inside[0] : inside[1]]),
        waveform=waveform(burst, begin, end, fs, floor.centre),
    )


def find_edges(
    burst: Floats,
    inside: tuple[int, int],
    fs: float,
    floor: LocalFloor,
    settings: Settings,
    last_share: float,
) -> tuple[int, int, int, float]:
    """Return onset, offset and end of the rise (samples), and the envelope's peak (µV).

    The edge is where the 10-ms RMS crosses the closing threshold, but no lower
    than a fixed part of the burst's own level: at high signal-to-noise the window
    would otherwise see the burst half a window before it begins. `last_share` is that
    part at the end of the burst, where a notch may ring. The rise ends
    where the envelope first comes near its peak: the peak itself falls anywhere
    in a burst of many units.
    """
    width = hop_size(WINDOW_S, fs)
    half = width // 2
    first, last = max(0, inside[0] - width), min(len(burst), inside[1] + width)
    power = np.concatenate([[0.0], np.cumsum(np.square(burst[first:last]))])
    if len(power) <= width:
        return inside[0], inside[1], inside[0], float(np.sqrt(power[-1] / max(1, len(power) - 1)))
    envelope = np.sqrt(np.maximum(power[width:] - power[:-width], 0.0) / width)
    top = float(envelope.max())
    closing = floor.centre + settings.emg.close_k * floor.spread
    above = np.flatnonzero(envelope > max(closing, EDGE_SHARE * top))
    if len(above) == 0:
        above = np.array([int(envelope.argmax())])
    still = above[envelope[above] > last_share * top]
    begin, end = first + int(above[0]) + half, first + int(still[-1]) + half + 1
    risen = first + int(np.argmax(envelope >= RISEN_SHARE * top)) + half
    # the window saw the burst up to half its width too early and too long
    size = np.abs(burst)
    peak, least = float(size[begin:end].max(initial=0.0)), EDGE_SD * floor.centre
    at_start, at_end = max(0, begin - half), max(0, end - width)
    rise = np.flatnonzero(size[at_start : begin + width] > max(EDGE_SHARE * peak, least))
    fall = np.flatnonzero(size[at_end : end + half] > max(last_share * peak, least))
    begin = at_start + int(rise[0]) if len(rise) else begin
    end = at_end + int(fall[-1]) + 1 if len(fall) else end
    return begin, max(end, begin + 1), max(risen, begin), top


#: Part of the envelope's peak that marks the edges of a strong burst; from the
#: experiment in benchmarks/burst_duration.py.
EDGE_SHARE = 0.1
#: At the end, while hum is taken out: the notches ring after a burst with up to a sixth
#: of its height.
RINGING_SHARE = 0.2
#: And the multiple of the noise that a sample at the edge must pass [E].
EDGE_SD = 2.5
#: Part of the envelope's peak that ends the rise: in a burst of many units the peak
#: itself falls anywhere [E].
RISEN_SHARE = 0.5


@lru_cache
def _band(fs: float) -> tuple[Floats, Floats]:
    """Return the sections of the burst band and the state that a constant 1 leaves them in."""
    top = min(BURST_BAND_HZ[1], MAX_BAND_FRACTION * fs)
    sos = np.asarray(signal.butter(2, (BURST_BAND_HZ[0], top), "bandpass", fs=fs, output="sos"))
    return sos, np.asarray(signal.sosfilt_zi(sos))


@lru_cache
def _between(up: int) -> Floats:
    """Return the filter of `scipy.signal.resample_poly` for so many times the samples."""
    return np.asarray(signal.firwin(20 * up + 1, 1 / up, window=("kaiser", 5.0)) * up)


def zero_phase(clean: Floats, fs: float) -> Floats:
    """Return the burst band of a piece of signal without phase shift.

    As `scipy.signal.sosfiltfilt` does it, which designs the filter's state anew each time.
    """
    if len(clean) < 30:
        return clean - clean.mean() if len(clean) else clean
    (sos, steady), pad = _band(fs), 25
    before, after = 2 * clean[0] - clean[pad:0:-1], 2 * clean[-1] - clean[-2 : -pad - 2 : -1]
    longer = np.concatenate([before, clean, after])
    forth, _ = signal.sosfilt(sos, longer, zi=steady * longer[0])
    back, _ = signal.sosfilt(sos, forth[::-1], zi=steady * forth[-1])
    return np.asarray(back[::-1][pad:-pad])


def peak_to_peak(x: Floats, fs: float) -> float:
    """Peak to peak between the samples too: at 1000 Hz they miss up to a tenth of it."""
    up = int(np.ceil(PEAK_FS / fs))
    if up == 1 or len(x) < 2:
        return float(np.ptp(x))
    finer = signal.upfirdn(_between(up), x, up)
    return float(np.ptp(finer[10 * up : (len(x) + 10) * up]))


def low_frequency_share(clean: Floats, burst: Floats, body: tuple[int, int], fs: float) -> float:
    """Share of the power that lies below the burst band and comes with the burst.

    A line through the levels before and after is taken off first, so that a
    drift doesn't count, and a step or a decay does. So is twice what was there
    before the burst: a baseline that wanders all the time says nothing of it.
    """
    level = max(1, round(LEVEL_S * fs))
    first, last = max(0, body[0] - 2 * level), min(len(clean), body[1] + 2 * level)
    if last - first < 4 * level:
        return 0.0
    fast = float(np.square(burst[first:last]).sum())
    slow = _power_off_line(clean[first:last], level) - fast
    before = slice(max(0, 2 * first - last), first)
    if first - before.start >= 4 * level:
        usual = _power_off_line(clean[before], level) - float(np.square(burst[before]).sum())
        slow -= 2 * max(usual, 0.0) * ((last - first) / (first - before.start)) ** 2
    slow = max(slow, 0.0)
    return slow / (slow + fast) if slow + fast > 0 else 0.0


def net_area_ratio(clean: Floats, body: tuple[int, int], fs: float) -> float:
    """Return how far a burst swings to one side: its net area over its whole area.

    Two electrodes see a potential come and go, so that its area is small (the sum of
    a dipole's phases); a contact that moves swings to one side.
    """
    level, flank = max(1, round(LEVEL_S * fs)), max(1, round(0.005 * fs))
    first, last = max(0, body[0] - flank), min(len(clean), body[1] + 2 * flank)
    before, after = clean[max(0, first - level) : first], clean[last : last + level]
    if len(before) == 0 or len(after) == 0:
        return 0.0
    ends = [fast_median(before), fast_median(after)]
    x = clean[first:last] - np.linspace(ends[0], ends[1], last - first)
    whole = float(np.abs(x).sum())
    return float(abs(x.sum())) / whole if whole > 0 else 0.0


def log_main_lobe_width(clean: Floats, peak: int, fs: float) -> float:
    """Return the log of the width (ms) of the deflection at a peak, in no band at all.

    At half height over the level around it; a band-pass would make every click as wide
    as itself.
    """
    level, near = max(1, round(LEVEL_S * fs)), max(1, round(MAIN_LOBE_S * fs))
    first, last = max(0, peak - level), min(len(clean), peak + level + 1)
    x = clean[first:last] - fast_median(clean[first:last])
    about = slice(max(0, peak - near - first), peak + near + 1 - first)
    at = about.start + int(np.abs(x[about]).argmax())
    return float(np.log(width_ms(x, at, fs)))


def log_frequency(burst: Floats, fs: float) -> float:
    """Return the log of a burst's frequency (Hz): of its change over its size, both RMS.

    Hjorth's mobility (1970) in Hz. Muscle sounds lower than a contact that hisses: the
    skin over it blurs the potentials.
    """
    change = np.diff(burst)
    power = float(burst @ burst) / max(len(burst), 1)
    change_power = float(change @ change) / max(len(change), 1)
    hz = fs / (2 * np.pi) * np.sqrt(change_power / max(power, 1e-12))
    return float(np.log(max(hz, 1.0)))


def _power_off_line(x: Floats, level: int) -> float:
    """Return the power of a signal less the line through the levels at its ends."""
    ends = [float(x[:level].mean()), float(x[-level:].mean())]
    line = np.interp(np.arange(len(x)), [level / 2, len(x) - level / 2], ends)
    return float(np.square(x - line).sum())


def mains_share(burst: Floats, fs: float) -> float:
    """Share of the power within 4 Hz of 50 or 60 Hz and their harmonics.

    The median over half-second windows, so that one pop can't hide a hum.
    """
    width = round(MAINS_WINDOW_S * fs)
    windows = len(burst) // width
    if windows == 0:
        return 0.0
    blocks = burst[: windows * width].reshape(windows, width) * np.hanning(width)
    power = np.square(np.abs(np.fft.rfft(blocks, axis=1)))
    freqs = np.fft.rfftfreq(width, 1 / fs)
    total = np.maximum(power.sum(axis=1), 1e-12)
    shares = []
    for line in (50.0, 60.0):
        near = np.abs(freqs - np.maximum(1, np.rint(freqs / line)) * line) <= 2 / MAINS_WINDOW_S
        shares.append(float(np.median(power[:, near].sum(axis=1) / total)))
    return max(shares)


def notch_residue_share(raw: Floats, clean: Floats, fs: float) -> float:
    """Share of a burst that goes with what the mains notches took out of it.

    Where mains grow, stop or break off, the notches need a few cycles to follow,
    and what is left or rings looks like a burst. 0 in shorter bursts: over less
    than three cycles any potential may go along with a sinusoid.
    """
    taken = raw - clean
    if len(clean) < NOTCH_RESIDUE_MIN_S * fs or not taken.any():
        return 0.0
    a, b = taken - taken.mean(), clean - clean.mean()
    both = float(np.square(a).sum() * np.square(b).sum())
    return float(np.square(a @ b) / both) if both > 0 else 0.0


def mains_removed(raw: Floats, clean: Floats, inside: tuple[int, int]) -> bool:
    """Whether hum was being taken out before a burst."""
    before = slice(0, inside[0])
    return bool((raw[before] != clean[before]).mean() > MAINS_REMOVED_SHARE) if inside[0] else False


def is_saturated(raw: Floats) -> bool:
    """Whether the signal stands at one far value: an amplifier at its limit."""
    if len(raw) < 5:
        return False
    flat = np.diff(raw) == 0
    if np.count_nonzero(flat) < 5:
        return False
    far = np.abs(raw[1:] - fast_median(raw)) > 0.25 * np.ptp(raw)
    return bool((flat & far).sum() >= 5) and float(np.ptp(raw)) > 500.0


def waveform(
    burst: Floats, begin: int, end: int, fs: float, noise_uv: float
) -> NDArray[np.float32]:
    """Return the waveform around its largest peak, at 1000 Hz, of unit energy.

    Tapered, so that the peak counts most, and scaled by the energy without the
    noise's part: so the product of two noisy copies is 1 on average, not less.
    """
    peak = begin + int(np.abs(burst[begin:end]).argmax())
    points = peak + (np.arange(WAVEFORM_POINTS) / WAVEFORM_POINTS - 0.5) * WAVEFORM_S * fs
    taper = hanning(WAVEFORM_POINTS)
    shape = np.interp(points, np.arange(len(burst)), burst, left=0.0, right=0.0) * taper
    energy = float(np.square(shape).sum())
    own = max(energy - noise_uv**2 * float(np.square(taper).sum()), 0.25 * energy)
    return (shape / np.sqrt(own) if own > 0 else shape).astype(np.float32)
