"""Measurement of one burst at the full sampling rate: edges, amplitude, spectrum, waveform."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import signal

from twitchsense.detect.candidates.burst_window import LocalFloor
from twitchsense.detect.candidates.interpolation import reflected
from twitchsense.detect.features.artifact_measures import low_frequency_share, mains_share
from twitchsense.detect.features.electrode_artifact import N_LOGS, electrode_features, hanning
from twitchsense.detect.features.waveform import (
    main_lobe_width_ms,
    mean_frequency_hz,
    net_area_ratio,
    spectrum_features,
)
from twitchsense.dsp.buffers import hop_size, ordered_sum
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION

Floats = NDArray[np.float64]

#: Window of the RMS envelope on which durations are measured, s.
WINDOW_S: Final = 0.010
#: Number of points of the stored waveform.
WAVEFORM_POINTS: Final = 64
#: Length of the stored waveform, centred on the largest peak, s.
WAVEFORM_S: Final = 0.064
#: Minimum sampling rate at which peak-to-peak amplitudes are measured, Hz.
PEAK_FS: Final = 4000.0
#: Multiple of the noise floor that a sample at the edge of a burst exceeds [E].
EDGE_SD: Final = 2.5
#: Fraction of the envelope's peak at which the rise ends: the peak itself may lie anywhere in a
#: burst of many units [E].
RISEN_SHARE: Final = 0.5
#: Shortest piece of signal that is filtered, samples.
MIN_FILTERED: Final = 30
#: Samples by which a piece is extended on either side before it is filtered.
FILTER_PAD: Final = 25
#: Samples on either side from which a value between two samples is interpolated.
HALF_TAPS: Final = 10


class RateLimits(NamedTuple):
    """What the measurement of a burst depends on, besides its samples.

    Attributes
    ----------
    fs : float
        Sampling rate of the samples measured, Hz.
    sampled_hz : float
        Sampling rate before interpolation, Hz.
    edge_share : float
        Share of the peak at which a burst begins and ends.
    close_k : float
        `EmgSettings.close_k`.
    """

    fs: float
    sampled_hz: float
    edge_share: float
    close_k: float


class Edges(NamedTuple):
    """Edges of a burst in its window, and its envelope.

    Attributes
    ----------
    begin, end, risen : int
        Onset, offset, and the sample at which the envelope reaches `RISEN_SHARE` of its peak.
    top : float
        Peak of the envelope, µV.
    """

    begin: int
    end: int
    risen: int
    top: float


class BurstRow(NamedTuple):
    """The measurements of one burst.

    The first `N_ROW_LOGS` are stored as their logarithms.

    Attributes
    ----------
    width_ms, symmetry, slow_share, kurtosis, power_200_300, power_300_450 : float
    main_lobe_ms, frequency_hz : float
    power_60_100, power_100_150, power_150_220, power_above_450 : float
    slope_1ms, slope_2ms, peak_before, peak_after, net_area, slope_1_sample : float
        The waveform, see `detect.features.FEATURES`.
    amplitude_uv : float
        Peak to peak.
    low_frequency_share : float
    top_uv : float
        Peak of the envelope.
    begin, end, risen, peak : float
        Edges, the end of the rise, and the largest deflection, samples of the window.
    mains_share : float
        Share of the power that repeats with the period of the mains.
    """

    width_ms: float
    symmetry: float
    slow_share: float
    kurtosis: float
    power_200_300: float
    power_300_450: float
    main_lobe_ms: float
    frequency_hz: float
    power_60_100: float
    power_100_150: float
    power_150_220: float
    power_above_450: float
    slope_1ms: float
    slope_2ms: float
    peak_before: float
    peak_after: float
    net_area: float
    slope_1_sample: float
    amplitude_uv: float
    low_frequency_share: float
    top_uv: float
    begin: float
    end: float
    risen: float
    peak: float
    mains_share: float

    @property
    def electrode(self) -> tuple[float, ...]:
        """`ELECTRODE_FEATURES`."""
        return (*self[:6], *self[12:16])


#: Number of logarithms in a `BurstRow`; they come first.
N_ROW_LOGS: Final = 12


def measure_row(
    clean: Floats,
    inside: tuple[int, int],
    floor: LocalFloor,
    limits: RateLimits,
) -> tuple[BurstRow, NDArray[np.float32]]:
    """Measure a burst, before logarithms are taken.

    A causal filter finds the burst. For the measurement the signal after the burst is known, so
    a zero-phase filter is used: it keeps the waveform and the amplitude of the potential.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        Samples around the burst, µV, without mains hum and ECG.
    inside : (int, int)
        Start and stop (samples) of the run of the envelope above the threshold.
    floor : LocalFloor
    limits : RateLimits

    Returns
    -------
    row : BurstRow
    waveform : ndarray of float32, shape (64,)
    """
    fs, noise_uv = limits.fs, floor.centre
    band = zero_phase(clean, fs)
    edges = find_edges(band, inside, fs, floor, limits)
    begin, end, risen, top = edges
    body = (begin, end)
    peak = begin + int(np.abs(band[begin:end]).argmax())
    slow = low_frequency_share(clean, band, body, fs)
    electrode = electrode_features(
        clean, band, body, fs, low_frequency_share=slow, noise_uv=noise_uv
    ).tolist()
    pad = hop_size(WINDOW_S / 2, fs)
    wide = band[max(0, begin - pad) : end + pad]
    *powers, slope = spectrum_features(clean, peak, fs, limits.sampled_hz)
    values = (
        *electrode[:N_LOGS], main_lobe_width_ms(clean, peak, fs), mean_frequency_hz(wide, fs),
        *powers, *electrode[N_LOGS:], net_area_ratio(clean, body, fs), slope,
        peak_to_peak(wide, fs), slow, top, begin, end, risen, peak,
        mains_share(band[begin:end], fs),
    )  # fmt: skip
    return BurstRow._make(values), waveform(band, begin, end, fs, noise_uv)


def find_edges(
    burst: Floats,
    inside: tuple[int, int],
    fs: float,
    floor: LocalFloor,
    limits: RateLimits,
) -> Edges:
    """Find the edges of a burst and the end of its rise.

    An edge is where the 10-ms RMS crosses the closing threshold or a share of its peak,
    whichever is greater: at a high signal-to-noise ratio the window would otherwise reach the
    closing threshold half a window before the burst begins. The edges are then refined on
    single samples.

    Parameters
    ----------
    burst : ndarray, shape (n,)
        Burst band, zero phase, µV.
    inside : (int, int)
        Start and stop (samples) of the run of the envelope above the threshold.
    fs : float
        Sampling rate, Hz.
    floor : LocalFloor
    limits : RateLimits

    Returns
    -------
    Edges
    """
    share = limits.edge_share
    width = hop_size(WINDOW_S, fs)
    half = width // 2
    first, last = max(0, inside[0] - width), min(len(burst), inside[1] + width)
    power = np.concatenate([[0.0], np.cumsum(np.square(burst[first:last]))])
    if len(power) <= width:
        top = float(np.sqrt(power[-1] / max(1, len(power) - 1)))
        return Edges(inside[0], inside[1], inside[0], top)
    envelope = np.sqrt(np.maximum(power[width:] - power[:-width], 0.0) / width)
    top = float(envelope.max())
    closing = floor.centre + limits.close_k * floor.spread
    above = np.flatnonzero(envelope > max(closing, share * top))
    if len(above) == 0:
        above = np.array([int(envelope.argmax())])
    begin, end = first + int(above[0]) + half, first + int(above[-1]) + half + 1
    risen = first + int(np.argmax(envelope >= RISEN_SHARE * top)) + half
    # the window widens the burst by up to half its width on either side
    size = np.abs(burst)
    peak, least = float(size[begin:end].max(initial=0.0)), EDGE_SD * floor.centre
    at_start, at_end = max(0, begin - half), max(0, end - width)
    rise = np.flatnonzero(size[at_start : begin + width] > max(share * peak, least))
    fall = np.flatnonzero(size[at_end : end + half] > max(share * peak, least))
    begin = at_start + int(rise[0]) if len(rise) else begin
    end = at_end + int(fall[-1]) + 1 if len(fall) else end
    return Edges(begin, max(end, begin + 1), max(risen, begin), top)


@lru_cache
def zero_phase_sections(fs: float) -> tuple[Floats, Floats]:
    """Return the burst band as second-order sections, and their steady state for input 1.

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    sos : ndarray, shape (2, 6)
    steady : ndarray, shape (2, 2)
    """
    top = min(BURST_BAND_HZ[1], MAX_BAND_FRACTION * fs)
    sos = np.asarray(signal.butter(2, (BURST_BAND_HZ[0], top), "bandpass", fs=fs, output="sos"))
    return sos, np.asarray(signal.sosfilt_zi(sos))


@lru_cache
def interpolation_taps(up: int) -> Floats:
    """Return the interpolation filter of `scipy.signal.resample_poly`, phase by phase.

    Parameters
    ----------
    up : int
        Upsampling factor.

    Returns
    -------
    ndarray, shape (up, 2 * HALF_TAPS + 1)
        Row `k` gives the value `k / up` samples after the sample in the middle.
    """
    if up == 1:
        return np.eye(1, 2 * HALF_TAPS + 1, HALF_TAPS)
    taps = signal.firwin(2 * HALF_TAPS * up + 1, 1 / up, window=("kaiser", 5.0)) * up
    phases = np.zeros((up, 2 * HALF_TAPS + 1))
    for k in range(up):
        phase = taps[k::up]
        phases[k, 2 * HALF_TAPS + 1 - len(phase) :] = phase[::-1]
    return phases


def zero_phase(clean: Floats, fs: float) -> Floats:
    """Filter a piece of signal to the burst band without phase shift.

    Equal to `scipy.signal.sosfiltfilt`, which computes the initial state anew in each call.

    Parameters
    ----------
    clean : ndarray, shape (n,)
        EMG without mains hum and ECG, µV.
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    ndarray, shape (n,)
        Without its mean only, if the piece is shorter than 30 samples.
    """
    if len(clean) < MIN_FILTERED:
        return clean - clean.mean() if len(clean) else clean
    (sos, steady), pad = zero_phase_sections(fs), FILTER_PAD
    longer = reflected(clean, pad)
    forth, _ = signal.sosfilt(sos, longer, zi=steady * longer[0])
    back, _ = signal.sosfilt(sos, forth[::-1], zi=steady * forth[-1])
    return np.asarray(back[::-1][pad:-pad])


def peak_to_peak(x: Floats, fs: float) -> float:
    """Return the peak-to-peak amplitude of a signal interpolated to at least `PEAK_FS`.

    At 1000 Hz the samples alone underestimate the amplitude by up to a tenth.

    Parameters
    ----------
    x : ndarray, shape (n,)
    fs : float
        Sampling rate, Hz.

    Returns
    -------
    float
    """
    up = int(np.ceil(PEAK_FS / fs))
    if up == 1 or len(x) < 2:
        return float(np.ptp(x))
    # as scipy.signal.upfirdn with each sample in the middle of the filter
    around = sliding_window_view(np.pad(x, HALF_TAPS), 2 * HALF_TAPS + 1)
    return float(np.ptp(ordered_sum(around * interpolation_taps(up)[:, None, :])))


def waveform(
    burst: Floats, begin: int, end: int, fs: float, noise_uv: float
) -> NDArray[np.float32]:
    """Return the waveform around the largest peak of a burst, of unit energy.

    The waveform is tapered, so that the peak counts most. It is scaled by its energy without
    that of the noise, so that the product of two noisy copies is 1 on average.

    Parameters
    ----------
    burst : ndarray, shape (n,)
        Burst band, zero phase, µV.
    begin, end : int
        Edges of the burst.
    fs : float
        Sampling rate, Hz.
    noise_uv : float
        RMS of the noise, µV.

    Returns
    -------
    ndarray of float32, shape (64,)
        `WAVEFORM_POINTS` points over `WAVEFORM_S`.
    """
    peak = begin + int(np.abs(burst[begin:end]).argmax())
    points, taper, last = peak + waveform_offsets(fs), hanning(WAVEFORM_POINTS), len(burst) - 1
    # as numpy.interp, which may use fused multiply-add, with 0 outside
    low = np.clip(np.floor(points).astype(np.int64), 0, max(last - 1, 0))
    left, right = burst[low], burst[np.minimum(low + 1, last)]
    between = (right - left) * (points - low) + left
    values = np.where(points == last, burst[last], between)
    shape = np.where((points < 0) | (points > last), 0.0, values) * taper
    energy = float(ordered_sum(np.square(shape)))
    noise = noise_uv * noise_uv * float(ordered_sum(np.square(taper)))
    own = max(energy - noise, 0.25 * energy)
    return (shape / math.sqrt(own) if own > 0 else shape).astype(np.float32)


@lru_cache
def waveform_offsets(fs: float) -> Floats:
    """Return the points of the stored waveform in samples from the peak, shape (64,).

    Parameters
    ----------
    fs : float
        Sampling rate, Hz.
    """
    return (np.arange(WAVEFORM_POINTS) / WAVEFORM_POINTS - 0.5) * WAVEFORM_S * fs
