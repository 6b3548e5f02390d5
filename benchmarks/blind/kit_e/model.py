"""Records shared by all parts of the kit: truth rows, result and the described person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FS_EMG = 4000.0
"""Internal rate (Hz) at which every EMG snippet is written before the converter."""
FS_MECH = 1000.0
"""Internal rate (Hz) of the mechanical model."""


@dataclass(frozen=True)
class Truth:
    """One true event of a recording.

    Attributes
    ----------
    onset : float
        Seconds; first EMG activity above noise (first acceleration if there is no EMG).
    duration : float
        Seconds of EMG (of acceleration if there is no EMG).
    kind : str
        ``twitch``, ``jerk``, ``movement``, ``gross_movement``, ``posture_change``,
        ``brief_contraction``, ``unclear`` or ``artefact``.
    waveform : str
        Cause and shape, for example ``single_biphasic``.
    amplitude_uv : float
        Peak to peak at the electrode (larger of the channels), before the amplifier.
    snr : float
        Peak to peak behind the amplifier within 20-450 Hz over the resting noise RMS there.
    peak_g : float
        Peak dynamic acceleration of the event, 0 if none.
    bursts : tuple of float
        Onsets of all bursts.
    in_activity : bool
        Lies within voluntary activity.
    note : str
        Free text.
    """

    onset: float
    duration: float
    kind: str
    waveform: str
    amplitude_uv: float
    snr: float
    peak_g: float
    bursts: tuple[float, ...]
    in_activity: bool
    note: str


@dataclass(frozen=True)
class Composed:
    """A finished recording with its truth."""

    signals: dict[str, tuple[Array, float]]
    truth: list[Truth]
    meta: dict[str, Any]


@dataclass(frozen=True)
class Body:
    """What the person brings: muscle geometry (mm), nerve, heart and breath."""

    muscle: str
    fat_mm: float
    velocity: float
    iz_mm: float
    left_mm: float
    right_mm: float
    reinnervated: float
    unit_uv: float
    heart_bpm: float
    ecg_uv: float
    pulse_mg: float
    breath_hz: float
    snore_mg: float
    twitch_ms: float
    twitch_rate: float
    tendon_sd_mm: float = 3.0


@dataclass(frozen=True)
class Electrode:
    """Electrode pair: distance and size (mm), noise (uV RMS) and faults."""

    ied_mm: float
    size_mm: float
    noise_uv: float
    colour: float
    motion_uv_per_g: float
    pop_tau_ms: float
    second: bool = False


@dataclass(frozen=True)
class Amplifier:
    """EMG amplifier and converter; ``high_hz`` 0 means DC-coupled."""

    name: str
    fs: float
    bits: int
    lsb_uv: float
    high_hz: float
    high_order: int
    low_hz: float
    offset_uv: float = 0.0

    @property
    def rail_uv(self) -> float:
        """Largest input that the converter still resolves (uV)."""
        return self.lsb_uv * 2.0 ** (self.bits - 1)


@dataclass(frozen=True)
class Accelerometer:
    """MEMS sensor and its strap."""

    name: str
    fs: float
    bits: int
    range_g: float
    noise_ug: float
    strap_hz: float
    strap_zeta: float


@dataclass(frozen=True)
class Bed:
    """Mattress mechanics and the electric surroundings."""

    mains_hz: float
    mains_uv: float
    odd: float
    even: float
    mattress_hz: float
    mattress_zeta: float
    partner: bool
    cat: bool


@dataclass(frozen=True)
class Person:
    """One simulated sleeper with the gear used."""

    name: str
    body: Body
    electrode: Electrode
    amplifier: Amplifier | None
    accelerometer: Accelerometer | None
    bed: Bed


@dataclass
class Burst:
    """A piece of muscle activity.

    ``emg`` is (channels, samples) at 4 kHz, ``force`` the activation at 1 kHz and ``starts`` the
    second, from the beginning of ``emg``, at which every burst begins.
    """

    emg: Array
    force: Array
    starts: list[float] = field(default_factory=lambda: [0.0])
