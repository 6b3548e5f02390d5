"""Colours, and the names of kinds, labels and contexts, in every plot and table.

The colours of kinds are those of Okabe and Ito, which people with colour vision deficiency
can distinguish. The colours of contexts darken with sleep, so they work in greyscale too.
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
    "jolt": "#1B6B72",
}

#: Colours of kinds on a dark page: the same hues, lighter.
KIND_COLORS_DARK: Final[dict[str, str]] = {
    "twitch": "#5AB1F0",
    "brief_contraction": "#A5DAF7",
    "jerk": "#FF8A4C",
    "movement": "#2FC295",
    "gross_movement": "#F2B84B",
    "posture_change": "#E29BC4",
    "jolt": "#6CC5CC",
}

CONTEXT_COLORS: Final[dict[str, str]] = {
    "wake": "#F5E6B8",
    "drowsy": "#CADFEF",
    "sleep_onset": "#8DB9DA",
    "asleep": "#44719B",
    "unknown": "#FFFFFF",
}

CONTEXT_COLORS_DARK: Final[dict[str, str]] = {
    "wake": "#7A6A34",
    "drowsy": "#41586B",
    "sleep_onset": "#35597A",
    "asleep": "#274766",
    "unknown": "#15191C",
}

#: Singular and plural of each kind.
KIND_NAMES: Final[dict[str, tuple[str, str]]] = {
    "twitch": ("twitch", "twitches"),
    "brief_contraction": ("brief contraction", "brief contractions"),
    "jerk": ("jerk", "jerks"),
    "movement": ("leg movement", "leg movements"),
    "gross_movement": ("large movement", "large movements"),
    "posture_change": ("change of position", "changes of position"),
    "jolt": ("jolt", "jolts"),
}

#: Names of kinds that fit the width of a phone, where the usual name does not.
KIND_SHORT: Final[dict[str, str]] = {
    "brief_contraction": "contraction",
    "movement": "movement",
    "gross_movement": "large",
    "posture_change": "position",
}

CONTEXT_NAMES: Final[dict[str, str]] = {
    "wake": "awake",
    "drowsy": "drowsy",
    "sleep_onset": "falling asleep",
    "asleep": "asleep",
    "unknown": "context unknown",
}

#: Names of labels whose words do not read as a name.
LABEL_NAMES: Final[dict[str, str]] = {
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
    "tremor_like": "tremor-like",
    "hypnagogic_foot_tremor_like": "foot-tremor-like",
    "alma_like": "alternating-leg-muscle-activation-like",
    "high_freq_leg_movement": "high-frequency leg movements",
    "rhythmic_movement_like": "rhythmic-movement-like",
    "isolated_leg_movement": "isolated leg movement",
    "short_interval_leg_movement": "short-interval leg movement",
    "hiccup_like": "hiccup-like",
    "repetitive_violent_jerks": "jerks in quick succession",
    "voluntary_or_unclassified": "voluntary or unclassified",
}

#: Words of grades on the page; the highest is named after the peak, not after its harm.
GRADE_NAMES: Final[dict[str, str]] = {"violent": "strong"}

TEXT_COLOR: Final = "#222A30"
MUTED_COLOR: Final = "#5A656D"
GRID_COLOR: Final = "#DDE1E3"
EMG_COLOR: Final = "#2F3E6E"
ACC_COLOR: Final = "#7A5C2E"
ONSET_COLOR: Final = "#6A3D9A"
NO_SIGNAL_COLOR: Final = "#ECECE9"
ARTIFACT_COLOR: Final = "#B97A1E"
#: Colour of a kind of a plug-in.
FALLBACK_COLOR: Final = "#7A4B12"

#: Colours of the HTML pages by the name of their CSS variable.
LIGHT_THEME: Final[dict[str, str]] = {
    "background": "#fbfaf7",
    "text": "#222a30",
    "muted": "#56616a",
    "border": "#dcdcd6",
    "panel": "#f2f0ea",
    "link": "#1d5c73",
    "emg": "#2f3e6e",
    "acc": "#7a5c2e",
    "axis-0": "#4a3612",
    "axis-1": "#8f6a2c",
    "axis-2": "#b98f4a",
    "onset": "#6a3d9a",
    "onset-band": "#eee7f6",
    "no-signal": "#e6e6e2",
    "valid-text": "#2f6244",
    "warning": "#b0413e",
    "hypnogram": "#222a30",
    "artifact": "#b97a1e",
    "text-on-asleep": "#ffffff",
    "text-on-context": "#222a30",
    "kind-other": FALLBACK_COLOR,
    **{f"kind-{kind}": color for kind, color in KIND_COLORS.items()},
    **{f"context-{context}": color for context, color in CONTEXT_COLORS.items()},
}
DARK_THEME: Final[dict[str, str]] = {
    "background": "#15191c",
    "text": "#e3e5e3",
    "muted": "#a3adb3",
    "border": "#343b40",
    "panel": "#1e2428",
    "link": "#8cc4d8",
    "emg": "#b3c0f0",
    "acc": "#d9b878",
    "axis-0": "#f0d9a8",
    "axis-1": "#b08d4d",
    "axis-2": "#8a6a33",
    "onset": "#c9a6f0",
    "onset-band": "#2f2640",
    "no-signal": "#2b3034",
    "valid-text": "#93c9a6",
    "warning": "#d98a5a",
    "hypnogram": "#e3e5e3",
    "artifact": "#d9a441",
    "text-on-asleep": "#e8eef3",
    "text-on-context": "#eef0ee",
    "kind-other": "#d8a45c",
    **{f"kind-{kind}": color for kind, color in KIND_COLORS_DARK.items()},
    **{f"context-{context}": color for context, color in CONTEXT_COLORS_DARK.items()},
}


def kind_name(kind: str, count: int = 1) -> str:
    """Return the name of a kind.

    Parameters
    ----------
    kind : str
        A ``trial_type``, also one of a plug-in.
    count : int
        The name is in the plural unless this is 1.

    Returns
    -------
    str
    """
    one, many = KIND_NAMES.get(kind, (_to_words(kind), _to_words(kind)))
    return one if count == 1 else many


def kind_short(kind: str) -> str:
    """Return the shortest name of a kind, for narrow screens."""
    return KIND_SHORT.get(kind, kind_name(kind))


def kind_color(kind: str) -> str:
    """Return the colour of a kind; brown for one of a plug-in."""
    return KIND_COLORS.get(kind, FALLBACK_COLOR)


def context_name(context: str) -> str:
    """Return the name of a context."""
    return CONTEXT_NAMES.get(context, _to_words(context))


def grade_name(grade: str) -> str:
    """Return the word of a jerk's grade; the files have ``violent`` for "strong"."""
    return GRADE_NAMES.get(grade, grade)


def label_name(label: str) -> str:
    """Return the name of a label: ``sleep_start`` is "sleep-start-like jerk".

    Parameters
    ----------
    label : str
        A ``label`` of the event table, also one of a plug-in.

    Returns
    -------
    str
    """
    return LABEL_NAMES.get(label, _to_words(label))


def _to_words(identifier: str) -> str:
    text = identifier.replace("_", " ")
    return text.removesuffix(" like") + "-like" if text.endswith(" like") else text
