"""The plain records that a composition hands out."""

from dataclasses import dataclass, field

KINDS = (
    "twitch",
    "jerk",
    "movement",
    "gross_movement",
    "posture_change",
    "brief_contraction",
    "unclear",
    "artefact",
)


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


@dataclass
class Composed:
    signals: dict
    truth: list
    meta: dict = field(default_factory=dict)


@dataclass
class Intent:
    """What a family placed, before it is measured.

    style: twitch | burst | movement | walk | posture | artefact | ecg | silence
    layer: muscle | active | arte
    """

    start: float
    stop: float
    style: str
    waveform: str
    layer: str = "muscle"
    burst_times: tuple = ()
    in_activity: bool = False
    note: str = ""
    force_unclear: str = ""
    regular: bool = False
    acc_stop: float = 0.0
    one_source: bool = True
