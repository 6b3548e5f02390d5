"""Short simulated recordings, one for each rule, with the expected result.

`make_figures.py` draws them; `tests/docs/test_rules_page.py` checks the detector against them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

import twitchsense as ts
from firmware_sim.capture import CaptureSettings, SimulatedCapture
from firmware_sim.hypnogram import StageSequence, fixed_stages
from firmware_sim.schedule import EventKind, Schedule, SimulatedEvent

Signals = dict[str, tuple[np.ndarray, float]]


@dataclass(frozen=True)
class Case:
    """One rule and a recording that shows it.

    Attributes
    ----------
    name : str
        Name of the picture.
    expect : str
        Expected kind of an event, its label (prefix ``label:``) or the reason of its rejection
        (prefix ``not:``).
    title, caption : str
        Heading and text on the page.
    events : tuple of Event
        What the simulator puts in.
    at, until : float
        Interval that is drawn, s.
    seconds : float
        Length of the recording.
    seed : int
        Seed of the simulator.
    noise_uv : float
        EMG noise, µV RMS.
    stages : tuple of (str, float)
        Sleep stages in order, each with its share of the recording.
    legs : tuple of str
        One sensor for each.
    modify : callable
        Changes the simulated signals in place.
    label : str
        Label of an event of that kind, where no other case shows it.
    sleep_known : bool
        Whether the analysis gets the hypnogram.
    """

    name: str
    expect: str
    title: str
    caption: str
    events: tuple[SimulatedEvent, ...]
    at: float
    until: float
    seconds: float = 60.0
    seed: int = 1
    noise_uv: float = 2.2
    stages: tuple[tuple[str, float], ...] = (("N2", 1.0),)
    legs: tuple[str, ...] = ("",)
    modify: Callable[[Signals], None] = field(default=lambda signals: None)
    label: str = ""
    sleep_known: bool = True

    @property
    def group(self) -> str:
        """Section of the page: ``kinds``, ``labels`` or ``rejected``."""
        return {"n": "rejected", "l": "labels"}.get(
            self.expect[0] if ":" in self.expect else "", "kinds"
        )

    def record(self) -> ts.Recording:
        """Return the simulated recording."""
        signals: Signals = {}
        for leg in self.legs:
            signals |= _simulate(self, leg)
        self.modify(signals)
        return ts.Recording.from_arrays(signals)

    def analyze(self) -> ts.Night:
        """Simulate and analyse the recording, with its hypnogram if `sleep_known`."""
        bouts = self.sleep.bouts()
        stages = pd.DataFrame(
            [(a, b - a, stage) for a, b, stage in bouts], columns=["onset", "duration", "stage"]
        )
        return ts.analyze(self.record(), hypnogram=stages if self.sleep_known else None)

    @property
    def sleep(self) -> StageSequence:
        """Hypnogram of the recording."""
        return fixed_stages(self.seconds / 60, *self.stages)

    def found(self, night: ts.Night) -> pd.DataFrame:
        """Return the rows in the drawn interval that meet the expectation."""
        what, _, word = self.expect.rpartition(":")
        table = night.rejected if what == "not" else night.events
        column = {"not": "reason", "label": "label"}.get(what, "trial_type")
        inside = table["onset"].between(self.at, self.until)
        found = table[inside & (table[column] == word)]
        return found[found["label"] == self.label] if self.label else found


def _simulate(case: Case, leg: str) -> Signals:
    settings = CaptureSettings(case.seconds / 60, case.seed, channels=1, leg=leg)
    plan = Schedule(case.seconds, case.sleep, case.events, case.noise_uv, heart_bpm=62.0)
    capture = SimulatedCapture(settings, schedule=plan)
    blocks = list(capture.blocks())
    emg = np.concatenate([np.where(b.emg_kept[:, None], b.emg, np.nan) for b in blocks])
    acc = np.concatenate([np.where(b.acc_kept[:, None], b.acc, np.nan) for b in blocks])
    out: Signals = {f"{settings.emg_names[0]}_uv": (emg[:, 0] * capture.sensor.emg_lsb_uv, 1000.0)}
    for axis, name in enumerate(settings.acc_names):
        out[f"{name}_g"] = (acc[:, axis] * capture.sensor.acc_lsb_g, 100.0)
    return out


def _unit(
    at: float, uv: float = 140.0, *, doublet_interval_s: float = 0.0, seed: int = 3
) -> SimulatedEvent:
    return SimulatedEvent(
        EventKind.UNIT,
        at,
        0.015 + doublet_interval_s,
        amplitude_uv=uv,
        peak_g=0.002,
        seed=seed,
        unit=2,
        doublet_interval_s=doublet_interval_s,
    )


def _body(
    kind: EventKind, at: float, seconds: float, uv: float, g: float, seed: int = 5, side: str = ""
) -> SimulatedEvent:
    return SimulatedEvent(kind, at, seconds, amplitude_uv=uv, peak_g=g, seed=seed, side=side)


def _train(
    seconds: float, rate: float, burst: float, *, side: str = "", late: float = 0.0, seed: int = 9
) -> SimulatedEvent:
    return SimulatedEvent(
        EventKind.TRAIN, 40.0 + late, seconds, amplitude_uv=400.0, peak_g=0.08, seed=seed,
        rate_hz=rate, burst_s=burst, side=side,
    )  # fmt: skip


def _no_emg(signals: Signals) -> None:
    for name in [n for n in signals if n.startswith("emg")]:
        del signals[name]


def _blip(signals: Signals) -> None:
    wave, fs = signals["emg1_uv"]
    ms = 1000 * (np.arange(len(wave)) / fs - 40.0)
    wave += 28.0 * np.exp(-0.5 * (ms / 0.8) ** 2) * np.cos(0.2 * np.pi * ms + 2.4)


def _two_places(signals: Signals) -> None:
    _no_emg(signals)
    for axis in "xyz":
        wave, fs = signals[f"acc_{axis}_g"]
        signals[f"acc_thigh_{axis}_g"] = (np.roll(wave, round(0.22 * fs)), fs)


def _rock(signals: Signals) -> None:
    for name, size in (("acc_x_g", 0.25), ("acc_y_g", 0.12)):
        wave, fs = signals[name]
        t = np.arange(round(10 * fs)) / fs
        ends = np.minimum(1, np.minimum(t, t[::-1]) / 1.0)
        wave[round(40 * fs) :][: len(t)] += size * ends * np.sin(2 * np.pi * 1.1 * t)


_LEG, _JERK, _UNITS = EventKind.LEG_MOVEMENT, EventKind.JERK, EventKind.CLUSTER

#: Onsets (s) of leg movements of a person who is awake and active, with a pause at 41 s.
_RESTLESS = (2.0, 7.5, 13.0, 19.5, 25.0, 30.5, 36.5, 43.0, 48.0, 54.5, 60.0, 66.5, 72.0)

CASES: tuple[Case, ...] = (
    Case(
        "twitch", "twitch", "A twitch of one motor unit",
        "A potential of one motor unit, about 15 ms long and at least 50 µV peak to peak. The "
        "accelerometer does not see it.",
        (_unit(40.0),), 39.8, 40.25,
    ),
    Case(
        "twitch-units", "twitch", "A twitch of several motor units",
        "Up to 150 ms. A large one moves the leg slightly, less than a jerk does.",
        (_body(_UNITS, 40.0, 0.08, 260.0, 0.02),), 39.7, 40.5,
    ),
    Case(
        "doublet", "twitch", "A doublet is one event",
        "The same unit fires twice within 110 ms, here 35 ms apart. It counts as one twitch.",
        (_unit(40.0, doublet_interval_s=0.035),), 39.8, 40.25,
    ),
    Case(
        "jerk", "jerk", "A jerk",
        "A burst of 5–300 ms that accelerates the leg by at least 0.10 g and 5 g/s. Both "
        "sensors must agree.",
        (_body(_JERK, 40.0, 0.13, 1100.0, 0.4),), 39.6, 40.9,
    ),
    Case(
        "jerk-acc", "jerk", "A jerk seen by the accelerometer alone",
        "Without EMG at least 0.15 g are required, and the confidence is lower the sooner the leg "
        "is at rest, because a knock at the bed can look the same.",
        (_body(_JERK, 40.0, 0.13, 1100.0, 0.4),), 39.6, 40.9, modify=_no_emg,
    ),
    Case(
        "brief-contraction", "brief_contraction", "A brief contraction",
        "Longer than a twitch (150 ms), shorter than a leg movement (500 ms), and no jerk.",
        (_body(EventKind.CONTRACTION, 40.0, 0.3, 200.0, 0.02),), 39.6, 40.9,
        label="voluntary_or_unclassified",
    ),
    Case(
        "movement", "movement", "A leg movement",
        "0.5–10 s of activity at least 8 µV above rest. It ends when the EMG stays within 2 µV of "
        "rest for half a second.",
        (_body(_LEG, 40.0, 2.4, 280.0, 0.08),), 38.5, 44.5, label="isolated_leg_movement",
    ),
    Case(
        "gross-movement", "gross_movement", "A large movement",
        "Longer than 10 s by EMG, or, with a silent muscle, at least 3 s by acceleration.",
        (_body(EventKind.GROSS_MOVEMENT, 40.0, 12.0, 900.0, 0.4),), 36.0, 57.0, seconds=90.0,
    ),
    Case(
        "posture-change", "posture_change", "A change of position",
        "The leg is at rest before and after, turned by 30° or more, so that gravity is "
        "distributed differently over the three axes.",
        (SimulatedEvent(EventKind.POSTURE, 40.0, 3.0, 700.0, 0.3, seed=5, turn_deg=70.0),),
        34.0, 50.0, seconds=90.0,
    ),
    Case(
        "jolt", "jolt", "Jolts in a rhythm",
        "Short accelerations while the leg's muscle is silent. A single one is a knock and no "
        "event. Five or more of similar size at a steady rhythm are `hiccup_like`, with low "
        "confidence.",
        tuple(_body(EventKind.HICCUP, 20.0 + 5 * k, 0.1, 8.0, 0.08, seed=k) for k in range(12)),
        29.0, 52.0, seconds=100.0, label="hiccup_like",
    ),
    Case(
        "periodic", "label:periodic_leg_movement_like", "A series of leg movements",
        "Four or more, 10–90 s from onset to onset.",
        tuple(_body(_LEG, 20.0 + 22 * k, 2.2, 300.0, 0.08, seed=k) for k in range(6)),
        10.0, 145.0, seconds=160.0,
    ),
    Case(
        "short-interval", "label:short_interval_leg_movement", "An interval too short for a series",
        "The second movement begins less than 10 s after the first.",
        (_body(_LEG, 40.0, 1.8, 280.0, 0.08), _body(_LEG, 47.0, 2.0, 260.0, 0.08, seed=6)),
        37.0, 52.0, seconds=90.0,
    ),
    Case(
        "both-legs", "label:leg_movement", "A movement of too many parts",
        "Movements of the two legs less than 0.5 s apart are combined. With more than four parts "
        "the result is no candidate for a series (WASM 2016).",
        tuple(
            _body(_LEG, 40.0 + 2.0 * k, 1.9, 300.0, 0.08, k, ("left", "right")[k % 2])
            for k in range(6)
        ),
        37.0, 56.0, seconds=90.0, legs=("left", "right"),
    ),
    Case(
        "jerk-unplaced", "label:myoclonic_jerk_like", "A jerk without sleep information",
        "There is no hypnogram, and the recording is too short to estimate sleep from "
        "inactivity. The label leaves open whether the person was asleep.",
        (_body(_JERK, 40.0, 0.13, 1100.0, 0.4),), 39.6, 40.9, sleep_known=False,
    ),
    Case(
        "tremor", "label:tremor_like", "A train at 3.5–18 Hz",
        "At least five bursts over at least 2 s; here five per second.",
        (_train(5.0, 5.0, 0.09),), 38.5, 46.5, seconds=90.0,
    ),
    Case(
        "foot-tremor", "label:hypnagogic_foot_tremor_like", "A slow train awake or in light sleep",
        "At least four bursts of 250–1000 ms at 0.3–4 Hz, awake or in light sleep.",
        (_train(9.0, 1.2, 0.4),), 37.0, 52.0, seconds=90.0, stages=(("N1", 1.0),),
    ),
    Case(
        "fast", "label:high_freq_leg_movement", "The same train in deeper sleep",
        "Any other train of one leg at 0.3–4 Hz. Bursts that were rejected as members of a dense "
        "train count towards it, and stay in `rejected.csv`.",
        (_train(9.0, 1.2, 0.25, seed=4),), 37.0, 52.0, seconds=90.0,
    ),
    Case(
        "alternating", "label:alma_like", "Bursts that alternate between the legs",
        "Needs two sensors. Each burst is followed by one of the other leg, at 0.5–3 Hz.",
        (_train(9.0, 1.0, 0.25, side="left"), _train(9.0, 1.0, 0.25, side="right", late=0.5)),
        38.0, 52.0, seconds=90.0, legs=("left", "right"),
    ),
    Case(
        "rocking", "label:rhythmic_movement_like", "A rocking leg",
        "A large movement outside wake that oscillates at one frequency of 0.5–2 Hz.",
        (), 37.0, 53.0, seconds=90.0, modify=_rock,
    ),
    Case(
        "repetitive", "label:repetitive_violent_jerks", "Jerks in quick succession",
        "Three or more within a minute, at least three of them of 0.5 g or more (grade "
        "`violent`).",
        tuple(_body(_JERK, 30.0 + 5.5 * k, 0.14, 2200.0, 0.85, seed=k) for k in range(5)),
        27.0, 58.0, seconds=90.0,
    ),
    Case(
        "too-small", "not:too_small", "too_small", "Less than 50 µV peak to peak.",
        (_unit(40.0, 38.0),), 39.8, 40.25,
    ),
    Case(
        "too-short", "not:too_short", "too_short",
        "Above the noise for less than 5 ms; even a single motor unit lasts longer.",
        (), 39.9, 40.15, modify=_blip,
    ),
    Case(
        "electrode-pop", "not:electrode_pop", "electrode_pop",
        "The electrode lost contact for a moment: a step within one sample, then a slow decay.",
        (SimulatedEvent(EventKind.POP, 40.0, 0.2, 1200.0, seed=4),), 39.7, 40.5,
    ),
    Case(
        "saturation", "not:saturation", "saturation",
        "The amplifier is at its limit, so the muscle activity during this time is unknown.",
        (SimulatedEvent(EventKind.SATURATION, 40.0, 1.5, 60_000.0, seed=4),), 37.0, 47.0,
    ),
    Case(
        "noise-floor", "not:noise_floor", "noise_floor",
        "With more than 30 µV of noise, muscle activity cannot be assessed. This time does not "
        "count as valid signal.",
        (_body(_UNITS, 40.0, 0.1, 900.0, 0.01),), 39.4, 41.0, noise_uv=45.0,
    ),
    Case(
        "mains", "not:mains", "mains",
        "At least half of the power is at 50 or 60 Hz and harmonics.",
        (SimulatedEvent(EventKind.MAINS, 40.0, 30.0, 90.0, seed=4),), 39.0, 44.0, seconds=90.0,
    ),
    Case(
        "ecg", "not:ecg", "ecg",
        "The ECG in the leg electrode: one waveform, at the heart's rhythm. Once seven beats have "
        "been recognized, beats are subtracted, so only the first ones appear here.",
        (SimulatedEvent(EventKind.ECG, 20.0, 70.0, 160.0, seed=4),), 18.0, 34.0, seconds=100.0,
    ),
    Case(
        "rhythmic-train", "not:rhythmic_train", "rhythmic_train",
        "A motor unit that fires continuously, as in a tense leg: the same waveform repeated.",
        (SimulatedEvent(EventKind.TONIC_UNIT, 35.0, 25.0, 110.0, seed=4, unit=2),),
        39.0, 42.0, seconds=90.0,
    ),
    Case(
        "active-wake", "not:active_wake", "active_wake",
        "Muscle activity or movement of the leg fills more than a fifth of the surrounding "
        "minute: the person is moving voluntarily, and apparent twitches are not counted. Jerks "
        "are kept, except steps: jerks with longer contractions that move the leg shortly before "
        "and after.",
        (
            *(_body(_LEG, at, 3.2, 300.0, 0.06, seed=round(at)) for at in _RESTLESS),
            _body(_UNITS, 41.0, 0.08, 260.0, 0.02, seed=1),
        ),
        35.0, 47.0, seconds=90.0, stages=(("W", 1.0),),
    ),
    Case(
        "sustained", "not:sustained_activity", "sustained_activity",
        "Muscle activity for more than 10 s while the leg does not move.",
        (_body(EventKind.CONTRACTION, 40.0, 14.0, 160.0, 0.002),), 36.0, 60.0, seconds=90.0,
    ),
    Case(
        "weak-contraction", "not:weak_contraction", "weak_contraction",
        "Half a second or longer, but less than 8 µV above rest.",
        (_body(_LEG, 40.0, 2.0, 60.0, 0.003),), 38.0, 44.5,
    ),
    Case(
        "bump", "not:bump", "bump",
        "Acceleration while the muscle is silent: the bed or the strap was knocked.",
        (SimulatedEvent(EventKind.BUMP, 40.0, 0.4, 0.0, 0.2, seed=4),), 39.6, 40.9,
    ),
    Case(
        "micro-event", "not:acc_micro_event", "acc_micro_event",
        "A small acceleration without EMG to explain it. It gets no label.",
        (_body(EventKind.CONTRACTION, 40.0, 0.25, 180.0, 0.045),), 39.6, 40.9, modify=_no_emg,
    ),
    Case(
        "dead-time", "not:dead_time", "dead_time",
        "The leg still swings within 300 ms after a jerk. Only a second accelerometer shows this: "
        "here one at the ankle and one at the thigh, which responds 0.2 s later, both without "
        "EMG. With a single accelerometer such gaps are bridged and one jerk is found.",
        (_body(_JERK, 40.0, 0.06, 1100.0, 0.4),), 39.6, 41.2, modify=_two_places,
    ),
    Case(
        "absorbed", "not:absorbed", "absorbed",
        "A jerk or twitch within a second of a large movement is part of that movement, and so is "
        "a brief contraction next to a change of position.",
        (
            _body(EventKind.GROSS_MOVEMENT, 40.0, 12.0, 900.0, 0.4),
            _body(_UNITS, 52.75, 0.06, 260.0, 0.01),
        ),
        48.0, 56.0, seconds=90.0,
    ),
)  # fmt: skip

#: The same twitch and the same jerk at five places: awake, drowsy, falling asleep, asleep, in REM.
CONTEXTS = Case(
    "contexts", "label:sleep_start", "Context", "",
    tuple(
        event
        for minute in (3.0, 11.5, 18.5, 27.5, 35.5)
        for event in (
            _unit(60 * minute),
            _body(_JERK, 60 * minute + 45, 0.13, 1100.0, 0.4, seed=round(minute)),
        )
    ),
    0.0, 2400.0, seconds=2400.0,
    stages=(("W", 0.35), ("N1", 0.1), ("N2", 0.35), ("R", 0.2)),
)  # fmt: skip
