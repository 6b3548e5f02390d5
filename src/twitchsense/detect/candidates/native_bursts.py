"""Bursts measured by the compiled engine, with the constants of the reference."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_measures import (
    EDGE_SD,
    HALF_TAPS,
    PEAK_FS,
    RISEN_SHARE,
    WAVEFORM_POINTS,
    WINDOW_S,
    BurstRow,
    RateLimits,
    interpolation_taps,
    measure_row,
    waveform_offsets,
    zero_phase_sections,
)
from twitchsense.detect.candidates.burst_window import BurstWindow
from twitchsense.detect.features.artifact_measures import LEVEL_S, MAINS_MIN_S, MAINS_WINDOW_S
from twitchsense.detect.features.electrode_artifact import (
    BANDS_HZ,
    FINE_FS,
    HALF_S,
    PEAK_S,
    SPECTRUM_POINTS,
    fourier_tables,
    hanning,
    spectrum_slices,
)
from twitchsense.detect.features.waveform import (
    FLANK_S,
    MAIN_LOBE_S,
    NEAR_PEAK_S,
    SPECTRUM_HZ,
    spectrum_bins,
)
from twitchsense.dsp.buffers import hop_size, ordered_sum
from twitchsense.dsp.filters import MAX_BAND_FRACTION
from twitchsense.dsp.mains import LINES_HZ
from twitchsense.dsp.native.bursts import MIN_SAMPLES, BurstLimits, measure_rows

Floats = NDArray[np.float64]
Measured = tuple[BurstRow | Floats, NDArray[np.float32]]


def measure_compiled(
    library: ctypes.CDLL, windows: Sequence[BurstWindow], limits: RateLimits
) -> list[Measured]:
    """Measure bursts with the compiled engine.

    Parameters
    ----------
    library : ctypes.CDLL
    windows : sequence of BurstWindow
    limits : RateLimits

    Returns
    -------
    list of (ndarray, ndarray of float32)
        As `burst_measures.measure_row` returns them.
    """
    found: list[Measured | None] = [None] * len(windows)
    fit = [i for i, w in enumerate(windows) if _is_fit(w)]
    if fit:
        chosen = [windows[i] for i in fit]
        rows, waveforms, regular = measure_rows(
            library,
            [w.clean for w in chosen],
            [w.inside for w in chosen],
            [(w.floor.centre, w.floor.spread) for w in chosen],
            _c_limits(limits),
        )
        for i, row, shape, holds in zip(fit, rows, waveforms, regular, strict=True):
            if holds:  # a copy, so that a burst that is kept does not keep the others
                found[i] = row, shape.copy()
    return [
        measure_row(w.clean, w.inside, w.floor, limits) if measured is None else measured
        for w, measured in zip(windows, found, strict=True)
    ]


def _is_fit(window: BurstWindow) -> bool:
    """Whether the kernel can measure a burst."""
    n, (start, stop) = len(window.clean), window.inside
    return n >= MIN_SAMPLES and 0 <= start < min(n, stop) and bool(np.isfinite(window.clean).all())


@lru_cache
def _c_limits(limits: RateLimits) -> BurstLimits:
    fs = limits.fs
    half, spectrum_half = (max(4, round(s * fs)) for s in (HALF_S, NEAR_PEAK_S))
    points, up = max(SPECTRUM_POINTS, 2 * half), int(np.ceil(PEAK_FS / fs))
    length = min(2 * spectrum_half, SPECTRUM_POINTS)
    taper, shape_taper = hanning(2 * half + 2)[1:-1], hanning(WAVEFORM_POINTS)
    fine = fs >= FINE_FS
    slices = spectrum_slices(points, fs) if fine else [slice(0, 0)] * len(BANDS_HZ)
    bins = [
        spectrum_bins(low, high, fs) if low < MAX_BAND_FRACTION * limits.sampled_hz else (-1, -1)
        for low, high in SPECTRUM_HZ
    ]
    found = BurstLimits(
        width=hop_size(WINDOW_S, fs),
        wide=hop_size(WINDOW_S / 2, fs),
        level=max(1, round(LEVEL_S * fs)),
        flank=max(1, round(FLANK_S * fs)),
        lobe=max(1, round(MAIN_LOBE_S * fs)),
        half=half,
        beside=max(1, round(PEAK_S * fs)),
        step=max(1, round(fs / 1000)),
        up=up,
        fine=fine,
        bins=points // 2 + 1,
        spectrum_bins=SPECTRUM_POINTS // 2 + 1,
        spectrum_half=spectrum_half,
        spectrum_length=length,
        mains_width=round(MAINS_WINDOW_S * fs),
        band=tuple(bound for s in slices for bound in (s.start, s.stop)),
        spectrum=tuple(bound for pair in bins for bound in pair),
        fs=fs,
        edge_share=limits.edge_share,
        close_k=limits.close_k,
        edge_sd=EDGE_SD,
        risen_share=RISEN_SHARE,
        frequency=fs / (2 * np.pi),
        per_point=2 / points,
        taper_energy=float(np.square(taper).sum()),
        waveform_energy=float(ordered_sum(np.square(shape_taper))),
        noise_share=tuple((high - low) / 430.0 for low, high in BANDS_HZ),
        mains_least=MAINS_MIN_S * fs,
        mains_period=tuple(fs / line for line in LINES_HZ),
    )
    sos, steady = zero_phase_sections(fs)
    cosine, sine = (table.T[: 2 * half] for table in fourier_tables(points))
    near_cosine, near_sine = (table.T[:length] for table in fourier_tables(SPECTRUM_POINTS))
    found.set_arrays(
        {
            "sos": (sos, 12),
            "steady": (steady, 4),
            "taper": (taper, 2 * half),
            "cosine": (cosine, 2 * half * found.bins),
            "sine": (sine, 2 * half * found.bins),
            "spectrum_taper": (hanning(2 * spectrum_half), 2 * spectrum_half),
            "spectrum_cosine": (near_cosine, length * found.spectrum_bins),
            "spectrum_sine": (near_sine, length * found.spectrum_bins),
            "taps": (interpolation_taps(up), up * (2 * HALF_TAPS + 1)),
            "offsets": (waveform_offsets(fs), WAVEFORM_POINTS),
            "waveform_taper": (shape_taper, WAVEFORM_POINTS),
        }
    )
    return found
