"""The order of all decisions, and which of them may overrule which.

`CLUSTER_RULES` is applied by `cluster_rules` to each cluster while a recording streams,
`NIGHT_RULES` by `sequence_rules` when it is over. ``docs/detection.md`` shows both as a table, the
rules of the night run in this order, and a test compares the reasons that each rule gives with
those listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twitchsense.detect.rules.burst_limits import QUIET_UV

#: Reasons that the classifiers may overrule; every other rejection is final.
OVERRULABLE: Final = ("", "electrode_pop")


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision.

    Attributes
    ----------
    name : str
        For a rule of the night, the name of its function in `sequence_rules`.
    applies_to : str
    does : str
    reasons : tuple of str
        Reasons with which the rule rejects candidates.
    overrules : tuple of str
        Reasons of earlier rejections that the rule may overrule.
    """

    name: str
    applies_to: str
    does: str
    reasons: tuple[str, ...] = ()
    overrules: tuple[str, ...] = ()


CLUSTER_RULES: Final = (
    Rule(
        "artefact of a contraction",
        "contractions",
        "saturation, noise above `emg.max_floor_uv`, mains",
        ("saturation", "noise_floor", "mains"),
    ),
    Rule(
        "contraction without movement",
        "contractions during which the leg does not move",
        "electrode artefact, or mean frequency above that of muscle",
        ("saturation", "noise_floor", "mains", "electrode_pop"),
    ),
    Rule(
        "kind of a contraction",
        "contractions",
        "posture change by angle, gross movement by duration, otherwise movement",
        ("sustained_activity", "weak_contraction"),
    ),
    Rule(
        "jerk",
        "bursts",
        "limits of duration, rise, impulse and turn; the leg moved; the jerk model",
    ),
    Rule(
        "artefact of a burst",
        "bursts that are not jerks",
        "saturation, noise above `emg.max_floor_uv`, mains",
        ("saturation", "noise_floor", "mains"),
    ),
    Rule(
        "electrode artefact",
        "bursts that did not move the leg",
        "power below the burst band, or waveform",
        ("electrode_pop",),
    ),
    Rule(
        "limits of a burst",
        "bursts",
        "minimum duration, minimum amplitude, maximum duration",
        ("too_short", "too_small", "weak_contraction"),
    ),
    Rule(
        "acceleration without EMG",
        "episodes that no candidate with EMG explains",
        "posture change, gross movement, jerk, movement; bump where EMG would show muscle activity",
        ("bump", "acc_micro_event"),
    ),
)

NIGHT_RULES: Final = (
    Rule(
        "classify_movements",
        "movements and gross movements with EMG",
        "the movement model",
        ("rhythmic_train", "electrode_pop", "weak_contraction"),
        ("electrode_pop",),
    ),
    Rule(
        "split_rejected",
        "rejected contractions",
        "their bursts become candidates of their own",
    ),
    Rule(
        "reject_ecg",
        "short bursts",
        "residue of removed heart beats, and hearts that the canceller missed",
        ("ecg",),
        ("too_small", "too_short", "electrode_pop"),
    ),
    Rule(
        "merge_jerk_trains",
        "jerks with EMG; short events among them",
        "pauses of less than half a second: one event of several bursts",
        ("absorbed",),
    ),
    Rule(
        "reject_trains",
        "jerks",
        "a single burst whose waveform repeats within seconds, at regular intervals or all the "
        "time: a bump beside a unit that fires continuously",
        ("rhythmic_train",),
    ),
    Rule(
        "relabel_bumped_twitches",
        "jerks",
        "the waveform usually leaves the leg still: a twitch beside a bump",
    ),
    Rule(
        "keep_clear_of_noise",
        f"short bursts in noise above {QUIET_UV:g} µV, up to `emg.max_floor_uv`",
        "a burst that stands out of steady noise is classified as any other",
        (),
        ("noise_floor",),
    ),
    Rule(
        "classify_bursts",
        "twitches and brief contractions",
        "the burst model, then the recurrence model",
        ("rhythmic_train", "ecg", "electrode_pop"),
        ("electrode_pop",),
    ),
    Rule(
        "reject_active_wake",
        "twitches, brief contractions, jerks in doubt or without EMG; jerks among steps",
        "activity or movement above `labels.active_share` in the surrounding minute and in the "
        "surrounding 5 s (mild jerks, and a leg on the move: in the minute); steps",
        ("active_wake",),
    ),
    Rule(
        "reject_ring_down",
        "jerks without EMG",
        "the leg still swings after another jerk",
        ("dead_time",),
    ),
    Rule(
        "enforce_limits",
        "all events",
        "the limits of each kind: a classifier may overrule a reason, never a definition",
        ("too_short", "weak_contraction", "acc_micro_event"),
    ),
)
