"""Words of scorers: the kind of a mark, and the leg in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.channels.signal_labels import SIDES, is_other_muscle, parse_leg_label
from twitchsense.model.event_table import TRIAL_TYPES
from twitchsense.sleep.hypnogram.stage_words import bare_stage, name_words

#: Words for a side that are too short or mean something else at the end of an annotation.
_UNCLEAR_SIDES: Final = frozenset(("d", "g", "der", "sin", "dex"))
#: A side at the end of an annotation: ``Twitch L``, ``Limb movement (left)``, ``LM - right``.
_SIDE_AFTER: Final = re.compile(r"(.*?\w)[\s,;:/_-]+[(\[]?([^\W\d_]+)[)\]]?\.?")


def kind_key(word: str) -> str:
    """Return a kind without regard to case, and with underscores for blanks and dashes.

    Parameters
    ----------
    word : str
        Such as ``Gross movement``.

    Returns
    -------
    str
    """
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def parse_kinds(pairs: Sequence[str]) -> dict[str, str]:
    """Parse ``--kinds "LM=movement,Zuckung=twitch"``.

    Parameters
    ----------
    pairs : sequence of str
        Values of the option, each with one or more pairs.

    Returns
    -------
    dict of str to str
        Foreign word to kind.

    Raises
    ------
    InputError
        For a pair without ``=`` or with an empty side, and for a word that is given twice.
    """
    kinds: dict[str, str] = {}
    for pair in (pair for text in pairs for pair in text.split(",")):
        word, equals, kind = (part.strip() for part in pair.rpartition("="))
        if not (equals and word and kind):
            cure = 'write "LM=movement,Zuckung=twitch"'
            raise InputError("--kinds", f"{pair!r} is not a pair WORD=KIND", cure)
        if kind_key(word) in map(kind_key, kinds):
            raise InputError("--kinds", f"{word!r} is given twice", "give each word once")
        kinds[word] = kind
    return kinds


def check_kinds_used(kinds: Mapping[str, str], words: Iterable[str]) -> None:
    """Refuse a word that no list has.

    Parameters
    ----------
    kinds : mapping of str to str
        From `parse_kinds`.
    words : iterable of str
        Of all lists, as written.

    Raises
    ------
    InputError
        Naming the words that occur.
    """
    listed = [word for word in words if word]
    seen = {kind_key(word) for word in listed}
    for word in kinds:
        if kind_key(word) not in seen:
            found = name_words(listed) or "none"
            problem = f"no row has the word {word!r} (found: {found})"
            raise InputError("--kinds", problem, "write a word as the list has it")


def translate_kinds(words: Iterable[str], kinds: Mapping[str, str]) -> tuple[list[str], list[bool]]:
    """Return the kinds that words mean.

    Parameters
    ----------
    words : iterable of str
    kinds : mapping of str to str
        Meaning of foreign words.

    Returns
    -------
    kinds : list of str
        A word that means no kind of the event table and is not in `kinds` stays as it is.
    known : list of bool
        Whether a word is one of the two.
    """
    meanings = {key: key for key in TRIAL_TYPES}
    meanings |= {kind_key(w): meanings.get(kind_key(kind), kind) for w, kind in kinds.items()}
    found = [(word, meanings.get(kind_key(word))) for word in words]
    return [word if kind is None else kind for word, kind in found], [
        kind is not None for _, kind in found
    ]


def translate_table(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return a table of events whose foreign words are translated.

    Parameters
    ----------
    frame : DataFrame
        With ``trial_type``, unless there are no words to translate.
    kinds : mapping of str to str
        Meaning of foreign words.

    Returns
    -------
    DataFrame
        The same table if `kinds` is empty.

    Raises
    ------
    InputError
        If no row has a word of `kinds`.
    """
    if not kinds:
        return frame
    words = ["" if pd.isna(word) else str(word) for word in frame.get("trial_type", [])]
    check_kinds_used(kinds, words)
    return frame.assign(trial_type=translate_kinds(words, kinds)[0])


def split_leg(text: str, channel: str = "") -> tuple[str, str]:
    """Return the word and the leg of an annotation.

    Parameters
    ----------
    text : str
        ``Twitch L``, ``Limb movement - left|LM (Left)``, ``LM@@EMG LAT``.
    channel : str
        Channel of the annotation, if the file has it.

    Returns
    -------
    word : str
        Without the leg.
    leg : {'left', 'right', ''}
        Empty if neither text nor channel names one.
    """
    if "@" in text and not channel:
        channel = text.rpartition("@")[2]
    word = bare_stage(text).partition("|")[0].strip()
    match = _SIDE_AFTER.fullmatch(word)
    if match and match[2].casefold() not in _UNCLEAR_SIDES and match[2].casefold() in SIDES:
        return match[1], SIDES[match[2].casefold()]
    return word, _leg_of_channel(channel)


def _leg_of_channel(channel: str) -> str:
    """Return the leg of a channel; empty if it is of no leg."""
    label = parse_leg_label(channel)
    if label is not None or is_other_muscle(channel):
        return label.side if label else ""
    words = re.findall(r"[^\W\d_]+", channel.casefold())
    sides = {SIDES[w] for w in words if w in SIDES and w not in _UNCLEAR_SIDES}
    return sides.pop() if len(sides) == 1 else ""
