"""Which real recording may be used for tuning, and which only for the final test.

One table: no subject, motor unit, beat or stretch stands on both sides, and seeds live in
different ranges.  Tests hold the table to that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """What one side may use.

    Parameters
    ----------
    legs
        Subjects of `emg_leg_elderly_hermescb` for contraction, amplifier noise and units.
    skin
        Of these, the one whose tibialis anterior is at rest.
    single_units
        (recording, column) in which single units of a weak contraction stand apart.
    grid_units
        Decomposed motor units of the `openhdemg` sample file (numbers from 0).
    bitalino
        Recording of `emg_bitalino_biosppy` and its quiet stretches, in seconds.
    beats
        Stretch of `ecg_bitalino_biosppy`, in seconds.
    muscles
        Muscles of the one walking subject of `emg_leg_walking_musclesynergies`.
    ankles
        Recordings of `acc_ankle_thigh_daphnet`.
    stretch
        How far a unit's potential is drawn out or pressed together: conduction velocity
        differs between people and with temperature, and on the side that is learned from
        the electrodes' distance too, so that what is learned is not the few units' own.
    drawn
        Share of units whose potential is drawn by a formula (`units.drawn_unit`), so that
        what is learned is not the shape of a dozen real ones. None on the side tested.
    seed_base
        Added to every seed, so that no random stream is shared.
    """

    legs: tuple[int, ...]
    skin: int
    single_units: tuple[tuple[str, int], ...]
    grid_units: tuple[int, ...]
    bitalino: tuple[str, tuple[tuple[float, float], ...]]
    beats: tuple[float, float]
    muscles: tuple[str, ...]
    ankles: tuple[str, ...]
    stretch: tuple[float, float]
    drawn: float
    seed_base: int


SPLITS = {
    "tune": Split(
        legs=(1, 2, 3, 5, 7, 10, 12, 13),
        skin=5,
        single_units=(("id13_EMG_VL", 2), ("id13_EMG_VL", 1), ("id3_EMG_VL", 2)),
        grid_units=(1, 2, 3),
        bitalino=("emg_uv", ((0.5, 11.0), (13.0, 34.0), (60.0, 95.0))),
        beats=(0.0, 7.4),
        muscles=("TA", "GL"),
        ankles=("S01R02", "S02R01", "S03R02", "S03R03"),
        stretch=(0.7, 1.6),
        drawn=0.4,
        seed_base=1_000_000,
    ),
    "test": Split(
        legs=(4, 6, 8, 9, 11, 14, 15, 16),
        skin=6,
        single_units=(("id4_EMG_VL", 2), ("id14_EMG_VL", 2)),
        grid_units=(0, 4),
        bitalino=("emg_1_uv", ((3.0, 9.0), (28.0, 34.0), (47.0, 63.0))),
        beats=(7.4, 15.0),
        muscles=("PL", "GM", "SO"),
        ankles=("S06R02", "S07R02"),
        stretch=(0.85, 1.2),
        drawn=0.0,
        seed_base=9_000_000,
    ),
}
