"""Measurement of bursts: rows of numbers from the compiled engine or from numpy, then `Burst`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twitchsense.detect.candidates.burst_measures import (
    N_ROW_LOGS,
    BurstRow,
    RateLimits,
    measure_row,
)
from twitchsense.detect.candidates.burst_window import (
    EDGE_SHARE,
    BurstWindow,
    edge_share,
    fine_window,
    visible_share,
)
from twitchsense.detect.candidates.native_bursts import Measured, measure_compiled
from twitchsense.detect.features.artifact_measures import is_saturated
from twitchsense.detect.features.electrode_artifact import electrode_probability
from twitchsense.dsp.buffers import hop_size
from twitchsense.dsp.engine import kernels
from twitchsense.dsp.native.sample_kernels import rounds_like_scipy
from twitchsense.model.candidates import Burst
from twitchsense.model.channels import NS, Channel
from twitchsense.settings import Settings

Floats = NDArray[np.float64]

#: Signal before and after a burst that is examined for saturation, s: an amplifier at its limit
#: shows activity only where it gets there and leaves again.
BESIDE_S: Final = 0.03


def measure_bursts(
    channel: Channel, windows: Sequence[BurstWindow], settings: Settings
) -> list[Burst]:
    """Measure bursts.

    Parameters
    ----------
    channel : Channel
    windows : sequence of BurstWindow
    settings : Settings

    Returns
    -------
    list of Burst
        Each does not depend on the others.
    """
    windows = [fine_window(window, channel.fs) for window in windows]
    if not windows:
        return []
    close_k, up = settings.emg.close_k, windows[0].up
    limits = RateLimits(channel.fs * up, channel.fs, edge_share(channel.fs), close_k)
    rows, shapes = _measure_rows(windows, limits)
    electrode = [row.electrode for row in rows]
    if windows[0].sampled is not None:  # the model learned from the samples of slow devices
        coarse = RateLimits(channel.fs, channel.fs, EDGE_SHARE, close_k)
        electrode = [row.electrode for row in _measure_rows(_as_sampled(windows), coarse)[0]]
    beside, log_fs, visible = (
        hop_size(BESIDE_S, channel.fs), float(np.log(channel.fs)), visible_share(channel.fs)
    )  # fmt: skip
    centres = np.array([max(window.floor.centre, 1e-6) for window in windows])
    snr_db = 20 * np.log10(np.array([row.top_uv for row in rows]) / centres)
    features = np.array(
        [
            (
                *row.electrode, row.net_area, row.main_lobe_ms, row.frequency_hz, row.mains_share,
                row.power_60_100, row.power_100_150, row.power_150_220, row.power_above_450,
                row.slope_1_sample, log_fs,
            )
            for row in rows
        ],
        np.float32,
    )  # fmt: skip
    found: list[Burst] = []
    for window, row, of_waveform, shape, sampled, snr in zip(
        windows, rows, features, shapes, electrode, snr_db.tolist(), strict=True
    ):
        begin, end, fs = int(row.begin), int(row.end), limits.fs
        first, last = window.inside[0] // up, window.inside[1] // up
        found.append(
            Burst(
                channel=channel.name,
                number=window.number,
                onset_ns=window.first_ns + round(begin * NS / fs),
                offset_ns=window.first_ns + round(end * NS / fs),
                peak_ns=window.first_ns + round(int(row.peak) * NS / fs),
                active_s=(end - begin) / fs,
                amplitude_uv=row.amplitude_uv,
                rise_ms=max(0.0, (row.risen - begin) / fs * 1000),
                snr_db=snr,
                floor_uv=window.floor.centre,
                low_frequency_share=row.low_frequency_share,
                waveform_features=of_waveform.copy(),
                log_frequency=row.frequency_hz,
                electrode_probability=electrode_probability(
                    sampled, (end - begin) / fs, channel.fs
                ),
                mains_share=row.mains_share,
                saturated=is_saturated(
                    window.raw[max(0, first - beside) : last + beside], channel.fs
                ),
                waveform=shape,
                visible_share=visible,
                n_merged=window.n_merged,
            )
        )
    return found


def _as_sampled(windows: Sequence[BurstWindow]) -> list[BurstWindow]:
    """Return the windows before they were interpolated."""
    return [
        w._replace(clean=w.sampled, inside=(w.inside[0] // w.up, w.inside[1] // w.up))
        for w in windows
        if w.sampled is not None
    ]


def _measure_rows(
    windows: Sequence[BurstWindow], limits: RateLimits
) -> tuple[list[BurstRow], list[NDArray[np.float32]]]:
    """Return the row and the waveform of each burst."""
    library = kernels()
    measured: list[Measured]
    if library is None or not rounds_like_scipy(library):
        measured = [measure_row(w.clean, w.inside, w.floor, limits) for w in windows]
    else:
        measured = measure_compiled(library, windows, limits)
    table = np.array([row for row, _ in measured])
    table[:, :N_ROW_LOGS] = np.log(np.ascontiguousarray(table[:, :N_ROW_LOGS]))
    return list(map(BurstRow._make, table.tolist())), [shape for _, shape in measured]
