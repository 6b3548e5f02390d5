"""The jerk rule: whether a burst moved the leg as a jerk does, and the grade of the jerk.

Every limit is a setting (`JerkSettings`); all are provisional, since no limit for the leg has
been published (docs/definitions.md, Jerks). The jerk model (`classify`) decides whether the burst
or a simultaneous bump moved the leg.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from twitchsense.detect.rules.burst_grouping import merge_group
from twitchsense.detect.rules.burst_limits import (
    MAX_LOW_FREQUENCY_SHARE,
    MIN_PEAK_TO_FLOOR,
    MS,
    min_amplitude_uv,
)
from twitchsense.detect.sensors.sensor_queries import AccResponse, SensorQueries
from twitchsense.model.candidates import Burst
from twitchsense.settings import JerkSettings, Settings

#: Distance of the values of the acceleration envelope at 100 Hz, ms.
FINE_ACC_MS: Final = 10.0
#: Time after the end of a long burst in which the leg may still respond, ns [E].
RESPONSE_AFTER_NS: Final = 100 * MS
#: Minimum probability of the jerk model for a jerk, by the number of clear signs (0, 1 or 2): the
#: waveform of muscle, and a violent movement that begins after the burst [E]. Of the candidates
#: with a probability between these and 0.5 outside of walking and activity, 31 of 31 are jerks in
#: the blind kits a to e (seed 1), and 5 of 18 on the test side, which places bumps at twitches on
#: purpose. `activity_rules` rejects such jerks in active minutes.
MIN_PROBABILITY: Final = (0.5, 0.35, 0.25)
#: Probability of an electrode artefact from which a burst is none of muscle, in doubt.
MAX_ELECTRODE: Final = 0.5


@dataclass(frozen=True, slots=True)
class BurstTrain:
    """One burst, or several with short pauses, that may have moved the leg together.

    Attributes
    ----------
    whole : Burst
        From the first onset to the last offset, with the features of the strongest burst and the
        rise time of the first.
    n_bursts : int
    longest_ms : float
        Duration of the longest burst.
    first_offset_ns, last_offset_ns : int
        Of the first and of the last burst.
    onsets_ns : tuple of int
        Of the bursts.
    """

    whole: Burst
    n_bursts: int
    longest_ms: float
    first_offset_ns: int
    last_offset_ns: int
    onsets_ns: tuple[int, ...]

    @classmethod
    def of(cls, groups: list[list[Burst]]) -> BurstTrain:
        """Return the train of some groups of simultaneous bursts.

        Parameters
        ----------
        groups : list of list of Burst
            In order of onset.

        Returns
        -------
        BurstTrain
        """
        best = [max(g, key=lambda b: (b.snr_db, b.channel)) for g in groups]
        whole = best[0] if len(groups) == 1 else merge_group(groups)
        if best[0].n_merged > 1:  # the rise of the first burst, as of bursts that do not merge
            step_ms = best[0].duration_s / best[0].n_merged * 1000
            whole = replace(whole, rise_ms=min(whole.rise_ms, step_ms))
        longest_ms = max(b.duration_s / b.n_merged for b in best) * 1000
        onsets_ns = tuple(t for b in best for t in _onsets_ns(b))
        first_ns = best[0].onset_ns + (best[0].offset_ns - best[0].onset_ns) // best[0].n_merged
        return cls(whole, len(onsets_ns), longest_ms, first_ns, best[-1].offset_ns, onsets_ns)

    @property
    def last_onset_ns(self) -> int:
        """Onset of the last burst."""
        return self.onsets_ns[-1]

    def window(self, rule: JerkSettings, *, first: bool = False) -> tuple[int, int]:
        """Return the interval in which the leg may respond.

        Parameters
        ----------
        rule : JerkSettings
        first : bool
            To the first burst only, instead of to any burst.

        Returns
        -------
        first_ns, last_ns : int
        """
        onset_ns = self.whole.onset_ns if first else self.last_onset_ns
        offset_ns = self.first_offset_ns if first else self.last_offset_ns
        after_ns = max(round(rule.lag_ms * MS), offset_ns - onset_ns + RESPONSE_AFTER_NS)
        return self.whole.onset_ns - round(rule.lead_ms * MS), onset_ns + after_ns


def _onsets_ns(burst: Burst) -> list[int]:
    """Return the onsets of the bursts that are measured as one."""
    step_ns = (burst.offset_ns - burst.onset_ns) // burst.n_merged
    return [burst.onset_ns + k * step_ns for k in range(burst.n_merged)]


def train_response(
    train: BurstTrain, sensors: SensorQueries, limit_ns: int, rule: JerkSettings
) -> AccResponse | None:
    """Return how the leg responded to bursts.

    The strongest movement may answer any burst of a train, or follow a first, smaller one; the
    movement begins with the answer to the first burst.

    Parameters
    ----------
    train : BurstTrain
    sensors : SensorQueries
    limit_ns : int
        Samples from here on may not have arrived yet, and are not read.
    rule : JerkSettings

    Returns
    -------
    AccResponse or None
        None where no accelerometer covers the bursts.
    """
    strongest = sensors.response(*train.window(rule), limit_ns)
    if strongest is None or (train.n_bursts == 1 and lag_ms(train, strongest) <= rule.lag_ms):
        return strongest
    onset_ns = train.whole.onset_ns
    at_once = onset_ns - round(rule.lead_ms * MS), onset_ns + round(rule.lag_ms * MS)
    first = sensors.response(
        *(at_once if train.n_bursts == 1 else train.window(rule, first=True)), limit_ns
    )
    if first is None or first.peak_g < rule.min_g:
        return strongest
    return replace(strongest, onset_ns=min(first.onset_ns, strongest.onset_ns))


def lag_ms(train: BurstTrain, response: AccResponse) -> float:
    """Return the time from a burst to the movement that begins next, ms.

    The first bursts of a train may be too weak to move the leg.

    Parameters
    ----------
    train : BurstTrain
    response : AccResponse

    Returns
    -------
    float
        Negative if the leg moves before the first burst.
    """
    before = [t for t in train.onsets_ns if t <= response.onset_ns]
    return (response.onset_ns - max(before, default=train.whole.onset_ns)) / MS


def moved_leg(
    train: BurstTrain, response: AccResponse | None, turn_deg: float, rule: JerkSettings
) -> bool:
    """Whether the leg responded to bursts as it does to a jerk.

    Parameters
    ----------
    train : BurstTrain
    response : AccResponse or None
        From `train_response`.
    turn_deg : float
        Greatest turn of the leg around the bursts, degrees. A leg that is thrown into another
        position moves for longer.
    rule : JerkSettings

    Returns
    -------
    bool
    """
    if response is None:
        return False
    # at 100 Hz the limits are those of the definition; slower accelerometers see the onset early,
    # and the onset of a burst that rises slowly is seen late
    early_ms = max(0.0, response.resolution_ns / MS - FINE_ACC_MS) + train.whole.rise_ms
    return (
        response.peak_g >= rule.min_g
        and response.jerk_g_s >= rule.min_jerk_g_s
        and -rule.lead_ms - early_ms <= lag_ms(train, response) <= rule.lag_ms
        and (turn_deg >= rule.max_turn_deg or response_s(train, response) <= rule.max_episode_s)
    )


def response_s(train: BurstTrain, response: AccResponse) -> float:
    """Return how long the leg moved, without the time from the first to the last burst.

    Parameters
    ----------
    train : BurstTrain
    response : AccResponse

    Returns
    -------
    float
        In s; negative if the leg came to rest before the last burst.
    """
    between = train.last_onset_ns - train.whole.onset_ns
    return (response.offset_ns - response.onset_ns - between) / 1e9


def within_jerk_limits(train: BurstTrain, settings: Settings) -> bool:
    """Whether the bursts themselves are within the limits of a jerk.

    Parameters
    ----------
    train : BurstTrain
    settings : Settings

    Returns
    -------
    bool
    """
    rule, burst = settings.jerk, train.whole
    return (
        rule.min_ms <= burst.duration_s * 1000
        and train.longest_ms <= rule.max_ms
        and burst.rise_ms <= rule.max_rise_ms
        and burst.amplitude_uv >= min_jerk_uv(burst, settings)
        and impulse_uvs(burst) >= rule.min_impulse_uvs
        and not burst.saturated
    )


def min_probability(burst: Burst, response: AccResponse, rule: JerkSettings) -> float:
    """Return the minimum probability of the jerk model for a jerk.

    Only this function weighs the signs of both sensors. The waveform of an electrode that moves
    is unlike that of muscle. A leg that is knocked moves at once; a muscle moves it some 10 ms
    after its burst begins.

    Parameters
    ----------
    burst : Burst
        The bursts of the candidate, merged.
    response : AccResponse
        Movement of the leg.
    rule : JerkSettings

    Returns
    -------
    float
        One of `MIN_PROBABILITY`.
    """
    if response.onset_ns < burst.onset_ns:
        return MIN_PROBABILITY[0]
    of_muscle = (
        burst.electrode_probability < MAX_ELECTRODE
        and burst.low_frequency_share <= MAX_LOW_FREQUENCY_SHARE
    )
    return MIN_PROBABILITY[of_muscle + (response.peak_g >= rule.violent_g)]


def min_jerk_uv(burst: Burst, settings: Settings) -> float:
    """Return the minimum amplitude of the burst of a jerk, µV peak to peak.

    The definition of a jerk has none: how much of the muscle an electrode sees does not say how far
    the leg was thrown. The limit is what noise does not reach.

    Parameters
    ----------
    burst : Burst
    settings : Settings

    Returns
    -------
    float
        Peak to peak, µV.
    """
    twitch_uv = min_amplitude_uv(burst, settings.twitch)
    return min(twitch_uv, MIN_PEAK_TO_FLOOR * burst.floor_uv)


def impulse_uvs(burst: Burst) -> float:
    """Return the impulse of a burst, µV·s: its amplitude times the duration of its activity.

    Parameters
    ----------
    burst : Burst

    Returns
    -------
    float
        In µV·s.
    """
    return burst.amplitude_uv * burst.active_s


def jerk_grade(peak_g: float, jerk_g_s: float, rule: JerkSettings) -> str:
    """Return the grade of a jerk.

    Parameters
    ----------
    peak_g, jerk_g_s : float
        Peak of the dynamic acceleration (g) and of its rate of change (g/s).
    rule : JerkSettings

    Returns
    -------
    str
        ``mild``, ``moderate`` or ``violent``.
    """
    if peak_g >= rule.violent_g or jerk_g_s >= rule.violent_jerk_g_s:
        return "violent"
    return "moderate" if peak_g >= rule.moderate_g else "mild"
