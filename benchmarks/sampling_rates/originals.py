"""Recordings at a high rate from composers of different origin, each with its truth.

`composer` adds real and drawn potentials to real noise (`benchmarks.accuracy`); `kit_a`, `kit_c`
and `kit_d` are the blind kits, of which each has physics of its own.  All are recorded here by
one good recorder of 4000 and 500 Hz.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy import families as wide
from benchmarks.accuracy.canvas import Canvas, Device
from benchmarks.accuracy.distractors import add_vitals
from benchmarks.accuracy.nights import Arrays
from benchmarks.accuracy.parts import load_parts
from benchmarks.accuracy.splits import SPLITS
from benchmarks.blind.examine import truth_table
from benchmarks.blind.kit_a import families as families_a
from benchmarks.blind.kit_a import jerks as jerks_a
from benchmarks.blind.kit_a import twitches as twitches_a
from benchmarks.blind.kit_a.scene import Scene as SceneA
from benchmarks.blind.kit_c import artefacts as artefacts_c
from benchmarks.blind.kit_c import events as events_c
from benchmarks.blind.kit_c.bench import Bench
from benchmarks.blind.kit_c.bench import Setting as SettingC
from benchmarks.blind.kit_c.devices import Acc, Emg
from benchmarks.blind.kit_d.families import EVENTS as EVENTS_D
from benchmarks.blind.kit_d.recorder import Recorder
from benchmarks.blind.kit_d.scene import Scene as SceneD
from benchmarks.blind.kit_d.scene import Setting as SettingD

#: Sampling rates of the originals, Hz.
EMG_HZ, ACC_HZ = 4000.0, 500.0
#: Seconds between events: no event may change what another one measures.
GAP_S = (2.0, 9.0)

Original = tuple[Arrays, pd.DataFrame]


def composer(seed: int, minutes: float, data: Path, openhdemg: Path) -> Original:
    """Return a recording of the accuracy benchmark's own families (test side)."""
    rng = np.random.default_rng([SPLITS["test"].seed_base + seed, 24])
    device = Device(
        fs=EMG_HZ, acc_fs=ACC_HZ, n_emg=1, emg_range_uv=12000.0, emg_lsb_uv=0.1,
        analogue_order=2, analogue_share=0.2,
    )  # fmt: skip
    canvas = Canvas(60 * minutes, device, load_parts("test", data, openhdemg), rng, (2.0,))
    wide.add_wide_jerks(canvas, round(1.6 * minutes), 5, canvas.seconds - 8)
    wide.add_wide_twitches(canvas, 9, 3, canvas.seconds - 5)
    wide.add_wide_pops(canvas, round(2 * minutes), 3, canvas.seconds - 5)
    wide.add_knocks(canvas, [], 0.0)
    add_vitals(canvas, False)
    arrays, truth = canvas.finish()
    return arrays, truth.assign(in_activity=False)


def kit_a(seed: int, minutes: float, data: Path, openhdemg: Path) -> Original:
    """Return a recording of the volume conductor with a leg that swings."""
    rng = np.random.default_rng([101, seed])
    rig = replace(
        families_a.base_rig(rng, minutes), fs_emg=EMG_HZ, fs_acc=ACC_HZ, bits=24, mains_uv=(),
        range_uv=187500.0, hp_hz=10.0, hp_order=2, lp_hz=1000.0, noise_uv=2.0, ecg_uv=0.0,
    )  # fmt: skip
    scene = SceneA(rig, rng)
    mix = {
        twitches_a.single: 3, twitches_a.volley: 3, twitches_a.polyphasic: 1,
        twitches_a.doublet: 1, twitches_a.burst: 1, jerks_a.jerk_plain: 2, jerks_a.jerk_train: 0.7,
    }  # fmt: skip
    families_a.run(scene, mix, *GAP_S)
    return _as_arrays(scene.finish())


def kit_c(seed: int, minutes: float, data: Path, openhdemg: Path) -> Original:
    """Return a recording of waveforms from parametric families."""
    rng = np.random.default_rng([103, seed])
    setting = SettingC((2.0, 2.0), mains_chance=0.0, ecg_chance=0.0, two_chance=0.0)
    emg = Emg("good", EMG_HZ, 24, 187500, 10, 1000)
    bench = Bench(rng, 60 * minutes, emg, Acc(ACC_HZ, 16, 16.0, 150.0), setting)
    events = (
        (events_c.clear_twitch, 0.6), (events_c.jerk, 0.15), (events_c.violent, 0.06),
        (events_c.mild, 0.06), (events_c.jerk_train, 0.06), (artefacts_c.pop, 0.07),
    )  # fmt: skip
    weights = np.array([w for _, w in events])
    t = 5.0
    while t < bench.dur - 12:
        add = events[int(rng.choice(len(events), p=weights / weights.sum()))][0]
        t = add(bench, t) + float(rng.uniform(*GAP_S))
    return _as_arrays(bench.finish())


def kit_d(seed: int, minutes: float, data: Path, openhdemg: Path) -> Original:
    """Return a recording of the muscle of fibres and the leg of two links."""
    rng = np.random.default_rng([104, seed])
    recorder = Recorder(fs=EMG_HZ, acc_fs=ACC_HZ, bits=24, range_uv=187500.0, low=1000.0)
    scene = SceneD(rng, recorder, SettingD(minutes=minutes, noise=2.0))
    menu = {"twitch": 0.55, "jerk": 0.25, "jerk_train": 0.07, "pop": 0.13}
    t = 8.0
    while t < scene.end - 20:
        name = str(rng.choice(list(menu), p=list(menu.values())))
        t = EVENTS_D[name](scene, t) + float(rng.uniform(*GAP_S))
    return _as_arrays(scene.finish("sampling_rates", seed))


def _as_arrays(composed: object) -> Original:
    arrays = {
        name: (np.asarray(x), float(fs))
        for name, (x, fs) in composed.signals.items()  # type: ignore[attr-defined]
        if not name.startswith("emg2")
    }
    return arrays, truth_table(composed)


#: Origins of the waveforms.
ORIGINS: dict[str, Callable[[int, float, Path, Path], Original]] = {
    "composer": composer, "kit_a": kit_a, "kit_c": kit_c, "kit_d": kit_d,
}  # fmt: skip
