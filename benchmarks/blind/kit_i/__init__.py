"""Kit I: composed leg recordings of a group that pools the data of many sites."""

from . import families_life as life
from . import families_muscle as mus
from .measure import finish
from .truth import KINDS, Composed, Truth

_MAKERS = {
    "after_exercise": (mus.after_exercise, "Healthy calf after exercise: twitches of many sizes, short contractions, few artefacts."),
    "giant_units": (mus.giant_units, "Reinnervated giant units with satellites, doublets, up to 5 mV, on laboratory amplifiers."),
    "neuromyotonia": (mus.neuromyotonia, "Multiplets of 2-7 discharges and grouped discharges of the same unit."),
    "myopathic_small": (mus.myopathic_small, "Small, short potentials near the noise, few-unit bursts, small artefacts."),
    "child_night": (mus.child_night, "A child on slow sleep-laboratory systems: fragmentary myoclonus, some jerks and turns."),
    "cortical": (mus.cortical, "Cortical jerks of 10-50 ms, single and in fast runs, with twitches."),
    "spinal": (mus.spinal, "Spinal jerks of 50-300 ms, single and as slow rhythms; short contractions."),
    "propriospinal": (mus.propriospinal, "Trains of 2-10 bursts at 2-7 Hz, short (jerk) and long (unclear)."),
    "epileptic_like": (mus.epileptic_like, "Jerks with and without a tonic tail; holes in held contractions (unclear)."),
    "neuropathic_jerky": (mus.neuropathic_jerky, "Twitches that move the leg by 5-85 mg beside jerks of the same shapes."),
    "quiet_night": (life.quiet_night, "Nothing but noise, hum, pulse, breath and three turns."),
    "rls_night": (life.rls_night, "Periodic leg movements, in part with a jerky start, with twitches and lone jerks."),
    "falling_asleep": (life.falling_asleep, "Sleep starts, lone and long movements, turns, twitches."),
    "tremor_and_feet": (life.tremor_and_feet, "Tremor and alternating bursts (unclear), foot rhythms, twitches, jerks."),
    "walking_day": (life.walking_day, "Walks with sitting between them: twitches, jerks, movements."),
    "holding": (life.holding, "Held contractions (own and real) with twitches on top and between."),
    "electrode_storm": (life.electrode_storm, "Pops, cable sway, static, loose contact, lost link; few true events."),
    "room_storm": (life.room_storm, "Knocks, footsteps, radio, mains bursts, stimulators; few true events."),
    "heart_in_leg": (life.heart_in_leg, "Heart beats in the leg EMG (one row each), twitches, jerks, movements."),
    "acc_only": (life.acc_only, "Acceleration only: jerks, movements, turns, knocks, footsteps."),
    "emg_only": (life.emg_only, "EMG only: twitches, bursts, contractions, movements, artefacts."),
    "sport_armband": (life.sport_armband, "Coarse sports armbands: twitches, jerks, movements, artefacts."),
    "all_sites": (life.all_sites, "A bit of everything on any system."),
}

FAMILIES = {name: text for name, (_, text) in _MAKERS.items()}


def compose(family: str, seed: int) -> Composed:
    return finish(_MAKERS[family][0](seed))


__all__ = ["FAMILIES", "KINDS", "Composed", "Truth", "compose"]
