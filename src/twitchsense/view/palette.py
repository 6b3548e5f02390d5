"""Colours and plain names, the same in every picture and table.

The colours of kinds are Okabe & Ito's, which the colour-blind can tell apart;
those of contexts go from light to dark with sleep, so they work in grey too.
"""

from __future__ import annotations

from typing import Final

KIND_COLORS: Final[dict[str, str]] = {
    "twitch": "#0072B2",
    "brief_contraction": "#56B4E9",
    "jerk": "#D55E00",
    "movement": "#009E73",
    "gross_movement": "#E69F00",
    "posture_change": "#CC79A7",
}

CONTEXT_COLORS: Final[dict[str, str]] = {
    "wake": "#F5E6B8",
    "drowsy": "#CADFEF",
    "sleep_onset": "#8DB9DA",
    "asleep": "#44719B",
    "unknown": "#E4E4E1",
}

#: One word, many words: ``plural(3, "jerk")``.
KIND_NAMES: Final[dict[str, tuple[str, str]]] = {
    "twitch": ("twitch", "twitches"),
    "brief_contraction": ("brief contraction", "brief contractions"),
    "jerk": ("jerk", "jerks"),
    "movement": ("leg movement", "leg movements"),
    "gross_movement": ("large movement", "large movements"),
    "posture_change": ("change of position", "changes of position"),
}

CONTEXT_NAMES: Final[dict[str, str]] = {
    "wake": "awake",
    "drowsy": "drowsy",
    "sleep_onset": "falling asleep",
    "asleep": "asleep",
    "unknown": "unknown",
}

INK: Final = "#222A30"
MUTED: Final = "#5A656D"
GRID: Final = "#DDE1E3"
EMG_INK: Final = "#33414B"
ACC_INK: Final = "#7A5C2E"
ONSET_INK: Final = "#7B3F00"
NO_SIGNAL: Final = "#ECECE9"

FALLBACK: Final = "#555555"


def kind_name(kind: str, count: int = 1) -> str:
    """Return the plain name of a kind, for one or many."""
    one, many = KIND_NAMES.get(kind, (_plain(kind), _plain(kind)))
    return one if count == 1 else many


def kind_color(kind: str) -> str:
    """Return the colour of a kind."""
    return KIND_COLORS.get(kind, FALLBACK)


def context_name(context: str) -> str:
    """Return the plain name of a context."""
    return CONTEXT_NAMES.get(context, _plain(context))


def label_name(label: str) -> str:
    """Return a label as words: ``sleep_start`` is "sleep-start-like"."""
    special = {
        "sleep_start": "sleep-start-like jerk",
        "myoclonic_jerk_asleep": "myoclonic-jerk-like, asleep",
        "myoclonic_jerk_awake": "myoclonic-jerk-like, awake",
        "myoclonic_jerk_like": "myoclonic-jerk-like",
        "hypnagogic_twitch": "twitch around falling asleep",
        "fragmentary_myoclonus_like": "fragmentary-myoclonus-like twitch",
        "fasciculation_like": "fasciculation-like twitch",
        "rem_twitch": "twitch in REM sleep",
        "gross_movement": "large movement",
        "posture_change": "change of position",
        "leg_movement": "leg movement",
        "periodic_leg_movement_like": "periodic-leg-movement-like",
        "voluntary_or_unclassified": "voluntary or unclassified",
    }
    return special.get(label, _plain(label))


def _plain(word: str) -> str:
    text = word.replace("_", " ")
    return text.removesuffix(" like") + "-like" if text.endswith(" like") else text
