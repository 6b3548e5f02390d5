"""Families whose heart is muscle: twitches and jerks of many sorts."""

import numpy as np

from . import muscle, potentials, sprinkle
from .scene import Scene, log_uniform

MIN = 20
WEAR = ("wireless_1926", "wireless_1259", "wireless_2000", "research_1111", "wearable_1000",
        "wearable_pair_1000", "hobby_1000_10bit", "lab_amp_4000", "hd_adapter_2048", "hd_dc_4000")
SLOW = ("psg_box_256", "psg_export_200", "psg_box_500", "ecg_patch_250", "armband_200", "sport_band_500")


def after_exercise(seed):
    sc = Scene("after_exercise", seed, WEAR[:7] + ("sport_band_500",), MIN)
    sprinkle.twitches(sc, 130, repertoire=6, doublets=0.05)
    sprinkle.brief(sc, 8)
    sprinkle.movements(sc, 5)
    sprinkle.mixed_artefacts(sc, 10)
    return sc


def giant_units(seed):
    sc = Scene("giant_units", seed, ("hd_adapter_2048", "hd_dc_4000", "lab_amp_4000", "wireless_2000"), MIN)
    sprinkle.twitches(sc, 150, uv=(100, 5000), ms=(8, 40), mg=(1, 70), repertoire=9, share=0.6,
                      mechanism="satellites", doublets=0.12, gap=0.45)
    sprinkle.twitches(sc, 50, uv=(20, 400), ms=(3, 14), mechanism="fibre_shots")
    sprinkle.mixed_artefacts(sc, 12)
    return sc


def neuromyotonia(seed):
    """Multiplets: 2-7 discharges of one unit 4-19 ms apart, and grouped ones
    120-260 ms apart (one row each)."""
    sc = Scene("neuromyotonia", seed, WEAR, MIN)
    rng = sc.rng
    kinds = [potentials.shape(rng) for _ in range(6)]
    for _ in range(70):
        bare = kinds[rng.integers(6)]
        span = log_uniform(rng, 0.003, 0.012)
        step = rng.uniform(0.004, 0.019)
        n = int(rng.integers(2, 8))
        inner = np.cumsum(step * rng.normal(1, 0.08, n - 1).clip(0.7) * 1.04 ** np.arange(n - 1))
        t = sc.slot(inner[-1] + span, 0.8)
        if t is not None:
            sc.twitch(t, log_uniform(rng, 20, 4000), span, bare=bare, inner=tuple(inner),
                      note=f"multiplet of {n}")
    for _ in range(14):
        n = int(rng.integers(3, 7))
        step = rng.uniform(0.13, 0.26)
        bare = kinds[rng.integers(6)]
        span, size = log_uniform(rng, 0.004, 0.02), log_uniform(rng, 60, 3000)
        t = sc.slot(n * step, 1.0)
        if t is not None:
            for k in range(n):
                sc.twitch(t + k * step * rng.normal(1, 0.01), size * rng.lognormal(0, 0.06), span,
                          bare=bare, mg=log_uniform(rng, 0.3, 8), note="grouped discharge")
    sprinkle.twitches(sc, 40)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def myopathic_small(seed):
    sc = Scene("myopathic_small", seed, ("hd_adapter_2048", "hd_dc_4000", "wearable_1000", "wireless_1926"),
               MIN, noise=None, short=0.6)
    sprinkle.twitches(sc, 120, uv=(30, 600), ms=(4, 10), mechanism="fibre_shots", mg=(0.2, 5))
    sprinkle.fragments(sc, 20, uv=(60, 400))
    sprinkle.mixed_artefacts(sc, 15, uv=(20, 400))
    sprinkle.movements(sc, 5, uv=(90, 600))
    return sc


def child_night(seed):
    """A child in a sleep laboratory: fragmentary myoclonus, few other things."""
    sc = Scene("child_night", seed, SLOW, MIN, short=0.7)
    sprinkle.turns(sc, 2)
    sprinkle.fragments(sc, 70, uv=(90, 1800))
    sprinkle.twitches(sc, 50, uv=(40, 5000), ms=(5, 40))
    sprinkle.movements(sc, 7)
    sprinkle.jerks(sc, 6, ms=(40, 220))
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def cortical(seed):
    """Bursts of 10-50 ms, single or in runs of up to ten at 8-20 Hz."""
    sc = Scene("cortical", seed, WEAR, MIN)
    sprinkle.jerks(sc, 45, ms=(11, 50), waveform="cortical")
    sprinkle.jerks(sc, 25, ms=(10, 30), bursts=(2, 10), hertz=(8, 20), waveform="cortical_train", gap=2.5)
    sprinkle.twitches(sc, 40)
    sprinkle.mixed_artefacts(sc, 12)
    return sc


def spinal(seed):
    """Bursts of 50-300 ms; in part as a slow rhythm, each jerk by itself."""
    sc = Scene("spinal", seed, WEAR + ("psg_box_500",), MIN)
    rng = sc.rng
    for _ in range(5):
        step, n = rng.uniform(1.25, 2.4), int(rng.integers(5, 9))
        span, size, g = rng.uniform(0.05, 0.27), log_uniform(rng, 60, 4000), log_uniform(rng, 0.14, 1.2)
        t = sc.slot(n * step + 1, 2.5)
        if t is not None:
            for k in range(n):
                sc.jerk(t + k * step * rng.normal(1, 0.01), size * rng.lognormal(0, 0.1), [0],
                        [span * rng.lognormal(0, 0.05)], g * rng.lognormal(0, 0.1),
                        waveform="spinal_rhythm", note=f"about every {step:.1f} s")
    sprinkle.jerks(sc, 35, ms=(50, 300), waveform="spinal")
    sprinkle.twitches(sc, 40)
    sprinkle.brief(sc, 10, mg=(1, 90))
    sprinkle.mixed_artefacts(sc, 10)
    return sc


def propriospinal(seed):
    """Trains of 2-10 bursts at 2-7 Hz, short ones and long ones."""
    sc = Scene("propriospinal", seed, WEAR, MIN)
    sprinkle.jerks(sc, 35, ms=(30, 150), bursts=(2, 5), hertz=(2.2, 7), waveform="propriospinal",
                   longest=0.65, gap=3)
    sprinkle.jerks(sc, 14, ms=(30, 150), bursts=(3, 10), hertz=(2, 4), waveform="propriospinal_long",
                   longest=None, gap=3, g=(0.12, 0.8))
    sprinkle.jerks(sc, 15, waveform="single")
    sprinkle.twitches(sc, 40)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def epileptic_like(seed):
    """Jerks with a tonic tail (no pause), with a pause, and without a tail; and
    holes in a held contraction (negative myoclonus)."""
    sc = Scene("epileptic_like", seed, WEAR, MIN)
    rng = sc.rng
    sprinkle.jerks(sc, 18, ms=(20, 120), waveform="epileptic_no_tail")
    sprinkle.jerks(sc, 14, ms=(20, 120), waveform="epileptic_tail", tail=(0.2, 4), gap=3)
    sprinkle.jerks(sc, 10, ms=(20, 120), waveform="epileptic_pause_tail", tail=(0.3, 3), quiet=0.09, gap=3,
                   force_unclear="jerk, pause and tonic tail in one")
    for _ in range(5):
        span = rng.uniform(12, 25)
        t = sc.slot(span, 3)
        if t is None:
            continue
        y = muscle.contraction(rng, sc.fs, span, sc.units, rng.uniform(0.3, 0.7))
        y = muscle.scale_to(y, log_uniform(rng, 150, 2500))
        at = 1.5
        while at < span - 1.5:
            hole = log_uniform(rng, 0.05, 0.45)
            a, b = int(at * sc.fs), int((at + hole) * sc.fs)
            y[a:b] *= 0.02
            sc.note(t + at, t + at + hole, "silence", "negative_myoclonus", layer="silent", in_activity=True)
            at += hole + rng.uniform(0.9, 4)
        sc.add_emg("active", t, y)
        sc.note(t, t + span, "walk", "held_contraction", layer="active", in_activity=True)
    sprinkle.twitches(sc, 30)
    sprinkle.mixed_artefacts(sc, 8)
    return sc


def neuropathic_jerky(seed):
    """Twitches that move the leg: g about the limit of a jerk, any size in uV."""
    sc = Scene("neuropathic_jerky", seed, WEAR, MIN)
    sprinkle.twitches(sc, 70, uv=(60, 5000), ms=(9, 40), mg=(5, 85), doublets=0.05)
    sprinkle.jerks(sc, 40, uv=(60, 5000), g=(0.115, 1.0), ms=(11, 40), waveform="moving_twitch")
    sprinkle.fragments(sc, 25, mg=(2, 80))
    sprinkle.mixed_artefacts(sc, 12)
    return sc
