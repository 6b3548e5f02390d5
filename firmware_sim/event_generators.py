"""Event generators: the distributions of size and duration of each kind of event.

Ranges follow docs/definitions.md; medians inside them are assumed [E].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim.schedule import EventKind, Planner, SimulatedEvent

EventGenerator = Callable[[Planner, float], bool]


def truncated_lognormal(
    rng: np.random.Generator, median: float, spread: float, low: float, high: float
) -> float:
    """Return a log-normal random number between two limits.

    Parameters
    ----------
    rng : numpy.random.Generator
    median : float
    spread : float
        Standard deviation of the logarithm.
    low, high : float
        Limits. Numbers beyond them are drawn again.

    Returns
    -------
    float
    """
    for _ in range(100):
        value = median * float(np.exp(spread * rng.standard_normal()))
        if low <= value <= high:
            return value
    return median


def unit_twitch(planner: Planner, at: float, doublet: float = 0.12) -> bool:
    """Add a fasciculation: one unit, sometimes a doublet 10-110 ms apart (Kleine 2012)."""
    rng = planner.rng
    # Most twitches come from a few units.
    unit = min(int(rng.geometric(0.25)) - 1, 13)
    gap = float(np.clip(rng.normal(0.034, 0.012), 0.012, 0.1)) if rng.random() < doublet else 0.0
    amplitude = truncated_lognormal(rng, 120.0, 0.45, 62.0, 300.0)
    return planner.add(
        SimulatedEvent(
            EventKind.UNIT,
            at,
            0.015 + gap,
            amplitude_uv=amplitude,
            # 1.1-3.3 mg for a single unit (Med Biol Eng Comput 2004;42:496).
            peak_g=float(rng.uniform(0.0008, 0.0028)) * (amplitude / 120.0) ** 0.5,
            channel=_channel(planner, 0.25),
            seed=planner.new_seed(),
            unit=unit,
            doublet_interval_s=gap,
        )
    )


def cluster_twitch(planner: Planner, at: float) -> bool:
    """Add a multi-unit twitch of at most 150 ms, as in fragmentary myoclonus."""
    rng = planner.rng
    amplitude = truncated_lognormal(rng, 160.0, 0.5, 65.0, 600.0)
    return planner.add(
        SimulatedEvent(
            EventKind.CLUSTER,
            at,
            truncated_lognormal(rng, 0.06, 0.4, 0.025, 0.125),
            amplitude_uv=amplitude,
            peak_g=truncated_lognormal(rng, 0.006, 0.6, 0.002, 0.03),
            channel=_channel(planner, 0.25),
            seed=planner.new_seed(),
        )
    )


def small_twitch(planner: Planner, at: float) -> bool:
    """Add either kind of twitch."""
    return (unit_twitch if planner.rng.random() < 0.6 else cluster_twitch)(planner, at)


def jerk(planner: Planner, at: float, median_g: float = 0.22, low_g: float = 0.11) -> bool:
    """Add a jerk with an EMG of 75-250 ms and hundreds of µV to some mV."""
    rng = planner.rng
    peak_g = truncated_lognormal(rng, median_g, 0.5, low_g, 2.0)
    # A stronger jerk has a larger EMG on average.
    amplitude = 900.0 * (peak_g / 0.25) ** 0.6 * float(np.exp(0.35 * rng.standard_normal()))
    return planner.add(
        SimulatedEvent(
            EventKind.JERK,
            at,
            float(rng.uniform(0.075, 0.25)),
            amplitude_uv=float(np.clip(amplitude, 250.0, 5000.0)),
            peak_g=peak_g,
            channel=_channel(planner, 0.1),
            seed=planner.new_seed(),
        )
    )


def violent_jerk(planner: Planner, at: float) -> bool:
    """Add a jerk, in most cases of at least 0.5 g."""
    return jerk(planner, at, median_g=0.75, low_g=0.32)


def contraction(planner: Planner, at: float) -> bool:
    """Add a contraction too long for a twitch and too short for a leg movement."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.CONTRACTION,
            at,
            float(rng.uniform(0.18, 0.45)),
            amplitude_uv=truncated_lognormal(rng, 180.0, 0.4, 80.0, 500.0),
            peak_g=truncated_lognormal(rng, 0.02, 0.5, 0.006, 0.06),
            channel=_channel(planner, 0.2),
            seed=planner.new_seed(),
        )
    )


def leg_movement(planner: Planner, at: float, median_s: float = 2.3) -> bool:
    """Add a leg movement of 0.5-10 s, mostly 1.5-4 s."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.LEG_MOVEMENT,
            at,
            truncated_lognormal(rng, median_s, 0.4, 0.6, 9.5),
            amplitude_uv=truncated_lognormal(rng, 280.0, 0.5, 130.0, 1200.0),
            peak_g=truncated_lognormal(rng, 0.07, 0.6, 0.022, 0.35),
            channel=_channel(planner, 0.1),
            seed=planner.new_seed(),
        )
    )


def gross_movement(planner: Planner, at: float) -> bool:
    """Add a large movement of 4-40 s (healthy median 12.4 s; Ferri 2021)."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.GROSS_MOVEMENT,
            at,
            truncated_lognormal(rng, 12.0, 0.5, 4.0, 40.0),
            amplitude_uv=truncated_lognormal(rng, 1000.0, 0.4, 400.0, 3000.0),
            peak_g=truncated_lognormal(rng, 0.4, 0.4, 0.15, 1.2),
            seed=planner.new_seed(),
        )
    )


def posture_change(planner: Planner, at: float) -> bool:
    """Add a turn of the leg by 35-120 degrees, with EMG."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.POSTURE,
            at,
            float(rng.uniform(1.8, 5.0)),
            amplitude_uv=truncated_lognormal(rng, 800.0, 0.4, 300.0, 2500.0),
            peak_g=truncated_lognormal(rng, 0.3, 0.4, 0.1, 0.9),
            seed=planner.new_seed(),
            turn_deg=float(rng.uniform(35.0, 120.0)),
        )
    )


def leg_shift(planner: Planner, at: float) -> bool:
    """Add a leg movement after which the leg lies 10-25 degrees differently."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.LEG_MOVEMENT,
            at,
            float(rng.uniform(1.5, 4.0)),
            amplitude_uv=truncated_lognormal(rng, 400.0, 0.4, 180.0, 1500.0),
            peak_g=truncated_lognormal(rng, 0.1, 0.4, 0.04, 0.3),
            seed=planner.new_seed(),
            turn_deg=float(rng.uniform(10.0, 25.0)),
        )
    )


def hiccup(planner: Planner, at: float) -> bool:
    """Add a hiccup: a movement of the trunk with an EMG below 50 µV at the leg."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.HICCUP,
            at,
            float(rng.uniform(0.08, 0.14)),
            amplitude_uv=float(rng.uniform(3.0, 22.0)),
            peak_g=truncated_lognormal(rng, 0.07, 0.25, 0.035, 0.2),
            seed=planner.new_seed(),
            label="hiccup_like",
        )
    )


def burst_train(
    planner: Planner,
    at: float,
    seconds: float,
    rate_hz: float,
    burst_s: float,
    label: str,
    side: str = "",
    amplitude_uv: float = 0.0,
) -> bool:
    """Add a train of bursts of one leg (or, for `side`, of that leg of two)."""
    rng = planner.rng
    event = SimulatedEvent(
        EventKind.TRAIN,
        at,
        seconds,
        amplitude_uv=amplitude_uv or truncated_lognormal(rng, 300.0, 0.4, 150.0, 900.0),
        peak_g=truncated_lognormal(rng, 0.08, 0.4, 0.03, 0.25),
        seed=planner.new_seed(),
        label=label,
        rate_hz=rate_hz,
        burst_s=burst_s,
        side=side,
    )
    if side == "right" and planner.events and planner.events[-1].side == "left":
        planner.events.append(event)  # the other leg of an alternation may overlap
        return True
    return planner.add(event)


def foot_tremor(planner: Planner, at: float) -> bool:
    """Add hypnagogic foot tremor: 1-2 /s, bursts 300-700 ms, 8-15 s (Wichniak 2001)."""
    rng = planner.rng
    rate = float(rng.uniform(0.9, 1.7))
    burst = float(rng.uniform(0.3, min(0.65, 0.62 / rate)))
    seconds = float(rng.uniform(8.0, 15.0))
    return burst_train(planner, at, seconds, rate, burst, "hypnagogic_foot_tremor_like")


def high_frequency_movements(planner: Planner, at: float) -> bool:
    """Add high-frequency leg movements: 1.6 +- 0.6 Hz (Yang & Winkelman 2010)."""
    rng = planner.rng
    rate = float(np.clip(rng.normal(1.6, 0.6), 0.6, 3.0))
    burst = float(rng.uniform(0.3, 0.6)) / rate
    seconds = truncated_lognormal(rng, 10.0, 0.5, max(4.5 / rate, 4.0), 40.0)
    return burst_train(planner, at, seconds, rate, burst, "high_freq_leg_movement")


def tremor(planner: Planner, at: float) -> bool:
    """Add tremor: 4-10 Hz for 3-20 s."""
    rng = planner.rng
    rate = float(rng.uniform(4.0, 10.0))
    burst = float(rng.uniform(0.35, 0.6)) / rate
    seconds = float(rng.uniform(3.0, 20.0))
    return burst_train(planner, at, seconds, rate, burst, "tremor_like")


def alternating_activation(planner: Planner, at: float) -> bool:
    """Add alternating leg muscle activation: 1-2 Hz, 100-500 ms, up to 20 s (Chervin 2003)."""
    rng = planner.rng
    rate = float(rng.uniform(0.8, 1.4))  # of one leg
    burst = float(rng.uniform(0.15, min(0.45, 0.45 / rate)))
    seconds = float(rng.uniform(6.0, 20.0))
    if not burst_train(planner, at, seconds, rate, burst, "alma_like", "left"):
        return False
    return burst_train(planner, at + 0.5 / rate, seconds, rate, burst, "alma_like", "right")


def walking(planner: Planner, at: float) -> bool:
    """Add a walk to the toilet and back."""
    rng = planner.rng
    return planner.add(
        SimulatedEvent(
            EventKind.WALK,
            at,
            float(rng.uniform(60.0, 150.0)),
            amplitude_uv=float(rng.uniform(800.0, 2000.0)),
            peak_g=float(rng.uniform(0.8, 1.8)),
            seed=planner.new_seed(),
            cause="walking",
        )
    )


# By kind: range of the duration (s), of the EMG (µV) and of the acceleration (g).
_ARTEFACTS: dict[
    EventKind, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
] = {
    EventKind.POP: ((0.1, 0.3), (550.0, 5000.0), (0.0, 0.0)),
    EventKind.CRACKLE: ((0.3, 3.0), (80.0, 800.0), (0.0, 0.0)),
    EventKind.STEP: ((0.5, 1.5), (300.0, 4000.0), (0.0, 0.0)),
    EventKind.BUMP: ((0.3, 0.5), (0.0, 0.0), (0.03, 0.35)),
    EventKind.KNOCK: ((0.3, 0.6), (150.0, 900.0), (0.05, 0.35)),
    EventKind.SATURATION: ((0.5, 4.0), (30_000.0, 80_000.0), (0.0, 0.0)),
    EventKind.FLAT: ((3.0, 40.0), (0.0, 0.0), (0.0, 0.0)),
    EventKind.DROPOUT: ((0.2, 20.0), (0.0, 0.0), (0.0, 0.0)),
    EventKind.ECG: ((60.0, 900.0), (10.0, 60.0), (0.0, 0.0)),
    EventKind.MAINS: ((30.0, 600.0), (5.0, 60.0), (0.0, 0.0)),
    EventKind.TONIC_UNIT: ((8.0, 120.0), (40.0, 120.0), (0.0, 0.0)),
    EventKind.WANDER: ((20.0, 120.0), (200.0, 1500.0), (0.0, 0.0)),
}


def artefact_generator(kind: EventKind, longest_s: float = np.inf) -> EventGenerator:
    """Return a generator of one kind of artefact; sizes are log-uniform in their range."""
    lengths, heights, peaks = _ARTEFACTS[kind]

    def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
        return float(low * (high / low) ** rng.random()) if low > 0.0 else 0.0

    def generate(planner: Planner, at: float) -> bool:
        rng = planner.rng
        high = max(min(lengths[1], longest_s), lengths[0] * 1.01)
        return planner.add(
            SimulatedEvent(
                kind,
                at,
                log_uniform(rng, lengths[0], high),
                amplitude_uv=log_uniform(rng, *heights),
                peak_g=log_uniform(rng, *peaks),
                channel=_channel(planner, 0.5),
                seed=planner.new_seed(),
                unit=int(rng.integers(14)),
            )
        )

    return generate


def _channel(planner: Planner, share_of_second: float) -> int:
    """Choose the index of the EMG channel over the active muscle."""
    second = planner.rng.random() < share_of_second
    return 1 if second and planner.channels > 1 else 0
