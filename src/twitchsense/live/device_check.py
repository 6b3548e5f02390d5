"""The check before bed: what 20 s of signal say about electrodes, noise, hum, radio and battery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from twitchsense.acquire.status import SessionStatus
from twitchsense.dsp.filters import dynamic_band
from twitchsense.io.channels.signal_check import MAINS_HZ, MAX_CLIPPED
from twitchsense.model.channels import Channel
from twitchsense.model.recording import Recording
from twitchsense.settings import Settings

#: Lower edge (Hz) of the band in which noise is measured: movement and sweat lie below.
_NOISE_LOW_HZ: Final = 20.0
#: Length (s) of the windows of which the median is the noise at rest.
_WINDOW_S: Final = 0.1
#: RMS (µV) of hum from which a cure is worth the trouble; less is removed without a trace.
_MAX_HUM_UV: Final = 20.0
#: Range of the median acceleration (g) of a working sensor at rest.
_GRAVITY_G: Final = (0.85, 1.15)
#: RMS (g) of the dynamic acceleration of a second in which the leg moves. A hand that rests on
#: the bed moves it less, and so does the noise of usual sensors (below 0.02 g).
_MOVING_G: Final = 0.05
#: RMS of a second of EMG, over that of its quiet seconds, in which the muscle works.
_TENSE_RATIO: Final = 4.0
#: Share of the seconds in which the leg may move or be tense. Twitches are shorter.
_MAX_ACTIVE: Final = 0.1
#: Time (s) in which the filter of acceleration settles.
_SETTLING_S: Final = 2.0
#: Battery level (%) below which a night is at risk; how fast it falls depends on the device.
_MIN_BATTERY: Final = 50
#: Signal strength (dBm) below which a turn of the body may interrupt the connection.
_MIN_RSSI: Final = -85
#: Share of the time with signal below which the radio is at fault.
_MIN_VALID: Final = 0.97


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One result of the check.

    Attributes
    ----------
    topic : str
        Channel, ``radio``, ``battery`` or ``device``.
    ok : bool or None
        None if it could not be measured.
    text : str
        What was measured, and the cure if it is not as it should be.
    """

    topic: str
    ok: bool | None
    text: str


def check_channels(
    recording: Recording, settings: Settings, *, has_unit: bool = True
) -> list[CheckResult]:
    """Check every channel of a short recording at rest.

    Parameters
    ----------
    recording : Recording
        About 20 s, during which the leg rests.
    settings : Settings
        Limits of the noise.
    has_unit : bool
        Whether the EMG is in µV; otherwise only contact and range are evaluated.

    Returns
    -------
    list of CheckResult
    """
    results: list[CheckResult] = []
    for channel in recording.channels:
        parts = [s.samples.read(0, len(s.samples)) for s in recording.segments_of(channel.name)]
        if not parts:
            results.append(CheckResult(channel.name, False, "no signal; is it connected?"))
            continue
        longest = max(parts, key=len).astype(np.float64)
        if channel.kind == "emg":
            results += _check_emg(channel, longest[:, 0], settings, has_unit)
        else:
            results.append(_check_acceleration(channel, longest))
    return results


def check_link(status: SessionStatus, seconds: float) -> list[CheckResult]:
    """Check battery and radio.

    Parameters
    ----------
    status : SessionStatus
        Status of the session at its end.
    seconds : float
        Time since the first connection, s.

    Returns
    -------
    list of CheckResult
    """
    results = []
    share = min(1.0, status.valid_s / max(seconds, 1e-9))
    strength = "" if status.rssi is None else f", {status.rssi} dBm"
    loss = status.loss_text or f"{status.n_lost} frames lost"
    measured = f"signal for {share:.0%} of the time, {loss}{strength}"
    weak = status.rssi is not None and status.rssi < _MIN_RSSI
    if share < _MIN_VALID or status.n_connections > 1 or weak:
        measured += "; bring computer and device nearer to each other, with no body in between"
        results.append(CheckResult("radio", False, measured))
    else:
        results.append(CheckResult("radio", True, measured))
    if status.battery is None:
        results.append(
            CheckResult("battery", None, "its level is not known (not reported within this time)")
        )
    elif status.battery < _MIN_BATTERY:
        text = f"{status.battery} %; charge it, it may not last for the night"
        results.append(CheckResult("battery", False, text))
    else:
        results.append(CheckResult("battery", True, f"{status.battery} %"))
    return results


def _check_emg(
    channel: Channel, samples: NDArray[np.float64], settings: Settings, has_unit: bool
) -> list[CheckResult]:
    name, fs = channel.name, channel.fs
    spread = float(np.ptp(samples))
    if spread == 0:
        return [CheckResult(name, False, "constant; connect the electrodes, and check the cable")]
    edges = (samples == samples.max()).mean(), (samples == samples.min()).mean()
    distinct = len(np.unique(samples))
    if max(edges) > MAX_CLIPPED and distinct > 1 / MAX_CLIPPED:
        share = f"{100 * max(edges):.0f} % of the samples are at the limit of the amplifier"
        return [CheckResult(name, False, f"{share}; press the electrodes on, or replace them")]
    if not has_unit:
        return [CheckResult(name, True, f"signal of {distinct} different values, within its range")]
    high = signal.sosfiltfilt(
        signal.butter(2, _NOISE_LOW_HZ, "highpass", fs=fs, output="sos"), samples
    )
    # the frequency of the mains wanders, but hardly within a block
    blocks = [_remove_hum(b, fs) for b in np.array_split(high, max(1, len(high) // round(2 * fs)))]
    hum_uv = float(np.median([rms for rms, _ in blocks]))
    rest = np.concatenate([block for _, block in blocks])
    n = round(_WINDOW_S * fs)
    windows = rest[: len(rest) // n * n].reshape(-1, n)
    noise_uv = float(np.median(np.sqrt((windows**2).mean(axis=1))))
    if noise_uv < settings.emg.flat_uv:
        return [CheckResult(name, False, "no signal; connect the electrodes, and check the cable")]
    limit_uv = settings.emg.max_floor_uv
    results = [
        CheckResult(name, True, f"noise at rest {noise_uv:.1f} µV")
        if noise_uv <= limit_uv
        else CheckResult(
            name,
            False,
            f"noise at rest {noise_uv:.0f} µV, where at most {limit_uv:g} can be judged; relax the "
            "leg, clean the skin, press the electrodes on",
        )
    ]
    per_s = round(1 / _WINDOW_S)
    rms = np.sqrt((windows**2).mean(axis=1))[: len(windows) // per_s * per_s]
    # a second counts if the muscle works throughout: twitches are shorter
    lowest = rms.reshape(-1, per_s).min(axis=1)
    quiet_uv = float(np.quantile(rms, 0.2)) if len(rms) else 0.0
    active = float((lowest > _TENSE_RATIO * quiet_uv).mean()) if len(lowest) else 0.0
    if active > _MAX_ACTIVE:
        results.append(
            CheckResult(
                name,
                False,
                f"the muscle was tense for {active:.0%} of the time; let the leg rest, and check "
                "again",
            )
        )
    if hum_uv > _MAX_HUM_UV:
        results.append(
            CheckResult(
                name,
                False,
                f"mains hum of {hum_uv:.0f} µV; unplug chargers near the bed, and check the "
                "reference electrode",
            )
        )
    return results


def _remove_hum(samples: NDArray[np.float64], fs: float) -> tuple[float, NDArray[np.float64]]:
    """Return the RMS of the mains and its harmonics, and the samples without them.

    A sine and a cosine of each frequency are fitted; of 50 and 60 Hz the stronger is the mains.
    """
    t = np.arange(len(samples)) / fs
    best_rms, best = 0.0, np.zeros_like(samples)
    for mains_hz in MAINS_HZ:
        lines = np.arange(mains_hz, fs / 2, mains_hz)
        phases = 2 * np.pi * np.outer(t, lines)
        basis = np.hstack([np.sin(phases), np.cos(phases)])
        hum = basis @ np.linalg.lstsq(basis, samples, rcond=None)[0]
        rms = float(np.sqrt((hum**2).mean()))
        if rms > best_rms:
            best_rms, best = rms, hum
    return best_rms, samples - best


def _check_acceleration(channel: Channel, samples: NDArray[np.float64]) -> CheckResult:
    gravity = float(np.median(np.sqrt((samples**2).sum(axis=1))))
    if not np.ptp(samples, axis=0).any():
        return CheckResult(channel.name, False, "constant; switch the device off and on")
    low, high = _GRAVITY_G
    if samples.shape[1] == 3 and not low <= gravity <= high:
        return CheckResult(
            channel.name, False, f"{gravity:.2f} g at rest instead of 1; check range and settings"
        )
    dynamic = dynamic_band(channel.fs).push(samples)[round(_SETTLING_S * channel.fs) :]
    n = max(1, round(channel.fs))
    squares = (dynamic**2).sum(axis=1)[: len(dynamic) // n * n]
    rms_g = np.sqrt(squares.reshape(-1, n).mean(axis=1))
    moving = float((rms_g > _MOVING_G).mean()) if len(rms_g) else 0.0
    if moving > _MAX_ACTIVE:
        size_g = float(np.median(rms_g[rms_g > _MOVING_G]))
        return CheckResult(
            channel.name,
            False,
            f"it moved for {moving:.0%} of the time, by {size_g:.2g} g RMS; let the leg rest, and "
            "check again. If it did rest, the sensor is too noisy",
        )
    return CheckResult(channel.name, True, f"{gravity:.2f} g at rest")
