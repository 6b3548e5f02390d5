"""Rows of truth, and the judge: which kind the written definitions give to measured facts."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Truth:
    onset: float
    duration: float
    kind: str
    waveform: str
    amplitude_uv: float
    snr: float
    peak_g: float
    bursts: tuple
    in_activity: bool
    note: str


@dataclass(frozen=True)
class Composed:
    signals: dict
    truth: list
    meta: dict = field(default_factory=dict)


@dataclass
class Facts:
    """What was measured of one event in its own noise-free layer (None: there is no such sensor)."""
    onset: float = 0.0
    spans: tuple = ()            # whole EMG length in s: as recorded, in 20-450 Hz, at the electrode
    pieces: tuple = ()           # for each of the three views: lengths of stretches bridged over 20 ms
    burst_lengths: tuple = ()    # length of each burst by itself, as recorded
    bursts: tuple = ()           # onset of each burst
    rise: float = 0.0
    band_end: float = 0.0        # last activity in 20-450 Hz
    amp_electrode: float = 0.0
    amp_band: float = 0.0
    noise: float = 1.0
    snr: float = 0.0
    low_share: float = 0.0       # share of power under 20 Hz of the recorded layer
    clipped: bool = False
    lost: float = 0.0            # share of the event in lost packets
    lift: float = 0.0            # highest rise of the 10-100 Hz RMS over rest, µV
    lm_seconds: float = 0.0      # from +8 µV to the last +2 µV
    g_true: float = 0.0          # peak before the sensor
    g_seen: float = 0.0          # peak as the sensor samples it
    g_near: float = 0.0          # the same in [-20, +150] ms around the bursts
    j_true: float = 0.0
    j_seen: float = 0.0
    acc_seconds: float = 0.0     # episode of acceleration after the last burst began
    acc_to_peak: float = 0.0
    acc_over15: float = 0.0      # s with an envelope over 15 mg
    acc_hold: float = 0.0        # the same with pauses of up to 1.2 s
    axes_over15: int = 0
    tilt: float = 0.0
    moving: float = 99.0         # s in which the posture really moves (before any filter)
    busy: bool = False           # inside walking or a held muscle: noise is then the activity


def motion_of(f):
    """'yes', 'no' or 'doubt': is the motion that of a jerk?"""
    if min(f.g_true, f.g_seen, f.g_near) >= 0.115 and min(f.j_true, f.j_seen) >= 5.7:
        return "yes"
    if max(f.g_true, f.g_seen) < 0.085:
        return "no"
    return "doubt"


def _inside(values, low, high):
    return all(low <= v <= high for v in values)


def judge_burst(f, has_acc, from_jerk, doublet):
    """twitch, jerk, brief_contraction or unclear, and why."""
    if f.lost > 0.0:
        return "unclear", "partly or wholly in a lost packet"
    if f.clipped:
        return "unclear", "cut off at the rail of the converter"
    if f.snr < 8.0:
        return "unclear", "too small for the noise around it"
    if f.noise > 12.0 and not f.busy:
        return "unclear", "noise floor so high that the definitions switch the detection off"
    motion = motion_of(f) if has_acc else "no"
    longest = [max(p) for p in f.pieces]
    if not has_acc and from_jerk:
        return "unclear", "a jerk without an accelerometer: the definitions need both"
    if motion == "doubt":
        return "unclear", "motion near the border of a jerk"
    if motion == "yes":
        if max(f.burst_lengths) < 0.0105 or max(max(f.burst_lengths), max(longest)) > 0.290:
            if len(f.bursts) == 1 and _inside(longest, 0.312, 0.485):
                return "brief_contraction", "longer than a jerk"
            return "unclear", "burst lengths near or over the border of a jerk"
        if f.rise > 0.090:
            return "unclear", "slow rise"
        if f.acc_seconds > 0.95:
            return "unclear", "motion lasts too long for a jerk"
        if f.tilt > 27:
            return "unclear", "posture changes with it"
        n = len(f.bursts)
        if n > 1:
            whole = f.bursts[-1] - f.bursts[0]
            rate = (n - 1) / max(whole, 1e-6)
            if n >= 5 and whole >= 1.9 and 3.4 <= rate <= 18.2:
                return "unclear", "long and rhythmic enough to be tremor"
            if max(b - a for a, b in zip(f.bursts, f.bursts[1:])) > 0.58:
                return "unclear", "bursts too far apart to belong together for certain"
        return "jerk", ""
    if len(f.bursts) > 1 and not doublet:
        return "unclear", "train of bursts without the motion of a jerk"
    whole = f.spans
    if _inside(whole, 0.0, 0.0040):
        return "unclear", "shorter than a twitch"
    if _inside(whole[:2], 0.0055, 0.140) and whole[2] <= 0.140:   # the length counts as it is recorded
        if min(f.amp_electrode, f.amp_band) < 50.0:
            return "unclear", "under 50 uV"
        return "twitch", ""
    if _inside(whole, 0.160, 0.470):
        return "brief_contraction", ""
    return "unclear", "length near the border of two kinds"


def judge_contraction(f, has_acc, turning):
    """movement, gross_movement, posture_change, brief_contraction or unclear (EMG decides where there is any)."""
    if f.lost > 0.2:
        return "unclear", "partly lost"
    whole = max(f.spans)
    if turning and has_acc:
        if f.tilt >= 33 and f.moving < 1.5 and whole < 0.5:
            return "posture_change", f"tilt {f.tilt:.0f} degrees"
        if max(f.acc_over15, f.acc_hold) >= 3.3 and f.axes_over15 >= 2:
            return "gross_movement", f"tilt {f.tilt:.0f} degrees"
        return "unclear", "between a movement and a change of posture"
    if f.lift < 6.0:
        return "unclear", "weaker than +8 uV"
    if f.lift < 10.0:
        return "unclear", "near the +8 uV border"
    if _inside(f.spans, 0.160, 0.470):
        if has_acc and motion_of(f) != "no" and min(f.spans) < 0.312 and f.rise < 0.112:
            return "unclear", "short, brisk and with motion: near a jerk"
        return "brief_contraction", ""
    if min(f.spans) < 0.56 or f.lm_seconds < 0.56:
        return "unclear", "length near the border of brief and movement"
    if max(whole, f.lm_seconds) < 9.5:
        return "movement", ""
    if min(min(f.spans), f.lm_seconds) > 10.6:
        return "gross_movement", ""
    return "unclear", "length near 10 s"


def judge_acc_only(f, role):
    """Kinds where there is no EMG at all."""
    if f.lost > 0.0:
        return "unclear", "partly or wholly in a lost packet"
    if role == "turn":
        if f.tilt >= 33 and f.moving < 1.5:
            return "posture_change", f"tilt {f.tilt:.0f} degrees"
        if f.acc_over15 >= 3.3 and f.axes_over15 >= 2:
            return "gross_movement", f"tilt {f.tilt:.0f} degrees"
        return "unclear", "between two kinds"
    if role == "jerk":
        if len(f.bursts) > 1 and f.acc_seconds > 0.95:
            return "unclear", "train without EMG"
        if min(f.g_true, f.g_seen) >= 0.17 and min(f.j_true, f.j_seen) >= 5.7 and f.acc_to_peak <= 0.135 \
                and f.acc_seconds <= 0.95 and f.tilt < 27:
            return "jerk", "seen by the accelerometer only"
        return "unclear", "near the border of an acceleration-only jerk"
    if role in ("contraction", "walk"):
        if f.acc_over15 >= 10.6:
            return "gross_movement", ""
        if 0.6 <= f.acc_over15 <= 2.6:
            return "movement", "seen by the accelerometer only"
        return "unclear", "movement and gross movement cannot be told apart"
    return "unclear", "cannot be named without EMG"


def judge_artefact(f, has_acc, outside):
    """Artefact, or unclear where the definitions would call it a twitch or could call it a movement."""
    longest = max(f.spans) if f.spans else 0.0
    if f.amp_electrode > 0:
        if f.clipped or f.low_share > 0.5 or longest < 0.0045 or longest > 0.16:
            return "artefact", ""
        if f.snr < 8 or f.amp_band < 45:
            return "artefact", "small"
        if has_acc and f.g_seen > 0.05 and f.low_share > 0.25:
            return "artefact", "knock with a slow EMG wave"
        return "unclear", "an artefact that has the length and size of a twitch"
    if outside and f.acc_over15 >= 0.45:
        return "unclear", "the leg is moved from outside"
    return "artefact", ""
