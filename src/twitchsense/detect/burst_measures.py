"""Measurement of one burst at the full sampling rate: edges, amplitude, spectrum, waveform."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.detect.artifact_measures import (
    is_saturated,
    low_frequency_share,
    mains_share,
)
from twitchsense.detect.burst_window import (
    EDGE_SHARE,
    BurstWindow,
    LocalFloor,
    edge_share,
    fine_window,
    visible_share,
)
from twitchsense.detect.electrode_artifact import (
    electrode_features,
    electrode_probability,
    hanning,
)
from twitchsense.detect.features.waveform import (
    log_frequency,
    log_main_lobe_width,
    net_area_ratio,
    spectrum_features,
)
from twitchsense.detect.interpolation import reflected
from twitchsense.dsp.buffers import hop_size
from twitchsense.dsp.filters import BURST_BAND_HZ, MAX_BAND_FRACTION
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import NS, Channel
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Window of the RMS envelope on which durations are measured, s.
WINDOW_S: Final = 0.010
#: Signal before and after a burst that is examined for saturation, s: an amplifier at its limit
#: shows activity only where it gets there and leaves again.
BESIDE_S: Final = 0.03
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


def measure_burst(channel: Channel, window: BurstWindow, settings: Settings) -> Burst:
    """Measure a burst.

    Parameters
    ----------
    channel : Channel
    window : BurstWindow
    settings : Settings

    Returns
    -------
    Burst

    Notes
    -----
    A causal filter finds the burst. For the measurement the signal after the burst is known, so
    a zero-phase filter is used: it keeps the waveform and the amplitude of the potential.
    """
    window = fine_window(window, channel.fs)
    fs, clean, noise_uv = channel.fs * window.up, window.clean, window.floor.centre
    band = zero_phase(clean, fs)
    share = edge_share(channel.fs)
    edges = find_edges(band, window.inside, fs, window.floor, settings, share)
    body = (edges.begin, edges.end)
    peak = edges.begin + int(np.abs(band[slice(*body)]).argmax())
    slow = low_frequency_share(clean, band, body, fs)
    electrode = electrode_features(
        clean, band, body, fs, low_frequency_share=slow, noise_uv=noise_uv
    )
    return assemble_burst(
        channel,
        window,
        edges,
        band,
        peak,
        settings,
        low_frequency_share=slow,
        electrode=electrode,
        net_area=net_area_ratio(clean, body, fs),
        main_lobe=log_main_lobe_width(clean, peak, fs),
        spectrum=spectrum_features(clean, peak, fs, channel.fs),
        shape=waveform(band, *body, fs, noise_uv),
    )


def assemble_burst(
    channel: Channel,
    window: BurstWindow,
    edges: Edges,
    band: Floats,
    peak: int,
    settings: Settings,
    *,
    low_frequency_share: float,
    electrode: Floats,
    net_area: float,
    main_lobe: float,
    spectrum: Sequence[float],
    shape: NDArray[np.float32],
) -> Burst:
    """Measure the rest of a burst, and return it.

    Parameters
    ----------
    channel : Channel
    window : BurstWindow
    edges : Edges
    band : ndarray, shape (n,)
        Burst band, zero phase, µV.
    peak : int
        Index of the largest deflection.
    settings : Settings
    low_frequency_share : float
    electrode : ndarray, shape (10,)
        `ELECTRODE_FEATURES`.
    net_area, main_lobe : float
        Of `features.waveform`.
    spectrum : sequence of float
        As of `features.waveform.spectrum_features`.
    shape : ndarray of float32, shape (64,)
        As of `waveform`.

    Returns
    -------
    Burst
    """
    fs, floor = channel.fs * window.up, window.floor
    begin, end, risen, top = edges
    pad, beside = hop_size(WINDOW_S / 2, fs), hop_size(BESIDE_S, channel.fs)
    wide = band[max(0, begin - pad) : end + pad]
    first, last = window.inside[0] // window.up, window.inside[1] // window.up
    hum_share = mains_share(band[begin:end], fs)
    mean_frequency = log_frequency(wide, fs)
    features = (
        *electrode, net_area, main_lobe, mean_frequency, hum_share, *spectrum, np.log(channel.fs)
    )  # fmt: skip
    return Burst(
        channel=channel.name,
        number=window.number,
        onset_ns=window.first_ns + round(begin * NS / fs),
        offset_ns=window.first_ns + round(end * NS / fs),
        peak_ns=window.first_ns + round(peak * NS / fs),
        active_s=(end - begin) / fs,
        amplitude_uv=peak_to_peak(wide, fs),
        rise_ms=max(0.0, (risen - begin) / fs * 1000),
        snr_db=float(20 * np.log10(top / max(floor.centre, 1e-6))),
        floor_uv=floor.centre,
        low_frequency_share=low_frequency_share,
        waveform_features=np.array(features, np.float32),
        log_frequency=mean_frequency,
        electrode_probability=electrode_probability(
            electrode if window.sampled is None else _sampled_features(channel, window, settings),
            (end - begin) / fs,
            channel.fs,
        ),
        mains_share=hum_share,
        saturated=is_saturated(window.raw[max(0, first - beside) : last + beside], channel.fs),
        waveform=shape,
        visible_share=visible_share(channel.fs),
    )


def _sampled_features(channel: Channel, window: BurstWindow, settings: Settings) -> Floats:
    """Return `ELECTRODE_FEATURES` of the samples of a slow device, from which it was learned."""
    up, fs = window.up, channel.fs
    clean = window.clean if window.sampled is None else window.sampled
    band = zero_phase(clean, fs)
    inside = window.inside[0] // up, window.inside[1] // up
    body = find_edges(band, inside, fs, window.floor, settings)[:2]
    slow = low_frequency_share(clean, band, body, fs)
    return electrode_features(
        clean, band, body, fs, low_frequency_share=slow, noise_uv=window.floor.centre
    )


def find_edges(
    burst: Floats,
    inside: tuple[int, int],
    fs: float,
    floor: LocalFloor,
    settings: Settings,
    share: float = EDGE_SHARE,
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
    settings : Settings
    share : float
        From `edge_share`.

    Returns
    -------
    Edges
    """
    width = hop_size(WINDOW_S, fs)
    half = width // 2
    first, last = max(0, inside[0] - width), min(len(burst), inside[1] + width)
    power = np.concatenate([[0.0], np.cumsum(np.square(burst[first:last]))])
    if len(power) <= width:
        top = float(np.sqrt(power[-1] / max(1, len(power) - 1)))
        return Edges(inside[0], inside[1], inside[0], top)
    envelope = np.sqrt(np.maximum(power[width:] - power[:-width], 0.0) / width)
    top = float(envelope.max())
    closing = floor.centre + settings.emg.close_k * floor.spread
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
def _between(up: int) -> Floats:
    """Return the interpolation filter of `scipy.signal.resample_poly` for an upsampling factor."""
    return np.asarray(signal.firwin(20 * up + 1, 1 / up, window=("kaiser", 5.0)) * up)


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
    finer = signal.upfirdn(_between(up), x, up)
    return float(np.ptp(finer[10 * up : (len(x) + 10) * up]))


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
    points = peak + (np.arange(WAVEFORM_POINTS) / WAVEFORM_POINTS - 0.5) * WAVEFORM_S * fs
    taper = hanning(WAVEFORM_POINTS)
    shape = np.interp(points, np.arange(len(burst)), burst, left=0.0, right=0.0) * taper
    energy = float(np.square(shape).sum())
    own = max(energy - noise_uv**2 * float(np.square(taper).sum()), 0.25 * energy)
    return (shape / np.sqrt(own) if own > 0 else shape).astype(np.float32)
