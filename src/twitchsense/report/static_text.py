"""Texts of the report that are the same for every night, and its glossary."""

from __future__ import annotations

from typing import Any, Final

from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, GRADES, LABELS, TRIAL_TYPES
from twitchsense.scoring.glossary import fill_levels
from twitchsense.settings import Settings

NOTICE: Final = (
    "Research and self-tracking software. Not a medical device; not intended to diagnose, treat, "
    "cure, monitor or prevent any disease. Labels describe signal patterns that resemble "
    "published definitions."
)

HOW_TO_READ: Final = (
    "Healthy legs twitch and jerk too. In one survey about seven in ten healthy people had "
    "harmless twitches (AAN 2017, S45.007), and some 60–70 % of people have had a sleep start at "
    "some time (Chiaro 2016). One night's count depends on where the sensor was placed and how "
    "well it was attached; several nights say more than one.",
    "Each rate is per hour of signal that could be evaluated, with the range of rates "
    "consistent with the count (exact 95 % interval). Few hours give wide ranges. Where there was "
    "no signal, nothing is known: it does not mean that nothing happened.",
)

CAUSES_INTRO: Final = (
    "People often link harmless twitches and jerks with the things below. The evidence is mostly "
    "expert opinion, and sources disagree; neither one night nor this report can show a cause."
)

CAUSES: Final = (
    "recovery after exercise",
    "caffeine",
    "too little to drink (dehydration)",
    "nicotine",
    "lack of vitamin D, of B vitamins or of calcium",
    "too little sleep, stress",
)

CAUSES_END: Final = (
    "A diary kept for some weeks shows what occurs together (twitchsense trend), but it does not "
    "show a cause. This is not advice to take or avoid anything: a doctor can measure whether "
    "something is lacking."
)

CLINICIAN_INTRO: Final = (
    "This section is the same in every report, whatever the night was like. "
    "Talk to a doctor, with or without this report, if there is:"
)

CLINICIAN: Final = (
    "new weakness, loss of muscle, or trouble lifting a foot or hand",
    "a change in speech or swallowing, or breathlessness when lying flat",
    "numbness, or a change in control of bladder or bowel",
    "jerks with loss of awareness, a bitten tongue, injury, falls, confusion or fever",
    "jerks in the morning that make you drop things",
    "twitches or jerks that began after a new medicine (among them opioids, antidepressants, "
    "gabapentin or pregabalin, some antibiotics such as cefepime, lithium)",
    "kidney or liver disease",
    "sleep that is regularly disrupted, dreams acted out, or pauses in breathing",
    "a child with such movements, or restless legs in pregnancy",
)

CLINICIAN_URGENT: Final = (
    "Urgent, call for help: violent jerks again and again with altered awareness, "
    "or a new paralysis."
)


def glossary(settings: Settings) -> list[dict[str, Any]]:
    """Return the definitions of kinds, labels, contexts, grades and columns.

    Parameters
    ----------
    settings : Settings
        The settings of the night, whose limits the definitions state.

    Returns
    -------
    list of dict
        ``title`` of a group, and ``entries``, a mapping of term to definition.
    """
    columns = {
        c.name: f"{c.description} ({c.unit})" if c.unit else c.description for c in EVENT_COLUMNS
    }
    groups = [
        ("Kinds: what the signal looks like", TRIAL_TYPES),
        ("Labels: the kind read in its sleep context", LABELS),
        ("Contexts", CONTEXTS),
        ("Grades of jerks", GRADES),
        ("Columns of events.csv", columns),
    ]
    return [
        {"title": title, "entries": fill_levels(entries, settings)} for title, entries in groups
    ]
