"""Texts of the report that are the same for every night, and its glossary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from twitchsense.model.event_table import CONTEXTS, EVENT_COLUMNS, GRADES, LABELS, TRIAL_TYPES
from twitchsense.report.palette import context_name, grade_name, kind_name, label_name
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
    "Urgent, call for help: jerking of the body with loss of awareness, or a new paralysis."
)


#: Terms of the table of sleep, with their definitions.
SLEEP_TERMS: Final = (
    {
        "name": "PLMS index",
        "code": "plms_index",
        "meaning": "leg movements in periodic series, per hour of sleep",
    },
    {
        "name": "PLMW index",
        "code": "plmw_index",
        "meaning": "leg movements in periodic series, per hour awake",
    },
    {
        "name": "fragmentary myoclonus index",
        "code": "fm_index",
        "meaning": "3-s stretches of sleep with a twitch, per hour of sleep",
    },
    {"name": "time in bed", "code": "", "meaning": "from the first scored epoch to the last"},
    {"name": "total sleep time", "code": "", "meaning": "all epochs of N1, N2, N3 and REM sleep"},
    {"name": "sleep efficiency", "code": "", "meaning": "total sleep time ÷ time in bed"},
    {
        "name": "sleep latency",
        "code": "",
        "meaning": "from the first scored epoch to the first epoch of sleep",
    },
    {
        "name": "WASO",
        "code": "",
        "meaning": "wake after sleep onset: time awake after the first epoch of sleep",
    },
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
        ``title`` of a group, and ``entries``: dictionaries with the ``name`` used on the page,
        the ``code`` in the files, and the ``meaning``.
    """
    columns = {
        c.name: f"{c.description} ({c.unit})" if c.unit else c.description for c in EVENT_COLUMNS
    }
    groups: list[tuple[str, Mapping[str, str], Callable[[str], str]]] = [
        ("Kinds: what the signal looks like", TRIAL_TYPES, kind_name),
        ("Labels: the kind read in its sleep context", LABELS, label_name),
        ("Contexts", CONTEXTS, context_name),
        ("Grades of jerks", GRADES, grade_name),
        ("Columns of events.csv", columns, str),
    ]
    return [
        {
            "title": title,
            "entries": [
                {"name": name(term), "code": term, "meaning": _without_name(meaning, name(term))}
                for term, meaning in fill_levels(entries, settings).items()
            ],
        }
        for title, entries, name in groups
    ] + [{"title": "Terms of sleep laboratories", "entries": list(SLEEP_TERMS)}]


def _without_name(meaning: str, name: str) -> str:
    """Return a meaning that does not begin with the name that stands beside it."""
    return meaning.removeprefix(f"{name}: ")
