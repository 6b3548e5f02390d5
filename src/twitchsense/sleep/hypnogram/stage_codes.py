"""Sleep stage names and codes of other programs, translated to W, N1, N2, N3, R."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from twitchsense.errors import InputError

#: In order of depth; an unscored epoch has the stage ``""``.
STAGES: Final = ("W", "N1", "N2", "N3", "R")
#: Asleep without a stage (Apple's ``Asleep``, Fitbit's ``asleep``).
UNSTAGED: Final = "S"
SLEEP: Final = ("N1", "N2", "N3", "R", UNSTAGED)
NREM: Final = ("N1", "N2", "N3")

#: Stage of each word, in lower case; ``""`` is unscored. ``light`` (Apple: ``core``) of
#: watches is N1 and N2 together and read as N2, the longer one.
_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "w",
            "wake",
            "wk",
            "awake",
            "restless",
            "s0",
            "wach",
            "eveil",
            "\xe9veil",
            "vigilia",
            "veglia",
        ),
        "W",
    ),
    **dict.fromkeys(("n1", "nrem1", "nrem 1", "s1"), "N1"),
    **dict.fromkeys(("n2", "nrem2", "nrem 2", "s2", "light", "core"), "N2"),
    **dict.fromkeys(("n3", "nrem3", "nrem 3", "s3", "s4", "n4", "nrem4", "nrem 4", "deep"), "N3"),
    **dict.fromkeys(("r", "rem", "rem sleep"), "R"),
    **dict.fromkeys(("asleep", "sleep", "asleepunspecified"), UNSTAGED),
    **{"asleepcore": "N2", "asleepdeep": "N3", "asleeprem": "R"},
    **dict.fromkeys(
        ("?", "unscored", "uns", "no stage", "mt", "movement time", "inbed", "in bed"), ""
    ),
}
#: Words of unscored epochs that name other events too, in files that hold both.
_UNSCORED_OR_EVENT: Final = (
    "art",
    "artefact",
    "artifact",
    "m",
    "movement",
    "unknown",
    "n/a",
    "nan",
)
_WORDS.update(dict.fromkeys(_UNSCORED_OR_EVENT, ""))
#: Numbers after ``Sleep stage`` are Rechtschaffen & Kales stages, of which 3 and 4 are N3.
_STAGE_NUMBERS: Final = {"0": "W", "1": "N1", "2": "N2", "3": "N3", "4": "N3"}
#: At most so many unknown words are named, each of at most so many characters.
_MAX_NAMED: Final = 6
_MAX_WORD: Final = 40
_PREFIX: Final = re.compile(
    r"hkcategoryvaluesleepanalysis|(?:sleep[\s_-]*)?stage[\s_:-]+|sleep[_-]+|sleep\s+(?=s\d|n\d|rem)"
)

#: Sets of integer codes that users can select by name.
NAMED_CODES: Final[dict[str, dict[str, str]]] = {
    "yasa": {"0": "W", "1": "N1", "2": "N2", "3": "N3", "4": "R", "-1": "?", "-2": "?"},
    "nsrr": {"0": "W", "1": "N1", "2": "N2", "3": "N3", "4": "N3", "5": "R", "6": "?", "9": "?"},
}

Codes = Mapping[str, str]


def parse_codes(text: str) -> dict[str, str]:
    """Parse the value of ``--stages``: ``yasa``, ``nsrr`` or ``0=W,1=N1,2=N2,3=N3,5=R``.

    Parameters
    ----------
    text : str
        Name of a set of codes, or comma-separated pairs ``CODE=STAGE``.

    Returns
    -------
    dict of str to str
        Stage of each code.

    Raises
    ------
    InputError
        If a pair is malformed or its stage is unknown.
    """
    if text.strip().lower() in NAMED_CODES:
        return dict(NAMED_CODES[text.strip().lower()])
    codes: dict[str, str] = {}
    for pair in text.split(","):
        code, equals, stage = pair.partition("=")
        if not (equals and code.strip() and stage.strip()):
            cure = f'write "0=W,1=N1,2=N2,3=N3,4=R" or one of {", ".join(NAMED_CODES)}'
            raise InputError("--stages", f"{pair!r} is not a pair CODE=STAGE", cure)
        codes[code.strip()] = stage.strip()
    return check_codes(codes, "--stages")


def codes_of(stages: str | Mapping[Any, str] | None) -> dict[str, str]:
    """Return the codes that a user of Python states.

    Parameters
    ----------
    stages : str, mapping or None
        As for `parse_codes`, or the stage of each code.

    Returns
    -------
    dict of str to str
        With lower-case keys; empty for None.

    Raises
    ------
    InputError
        If a stage is unknown.
    """
    if stages is None:
        return {}
    if isinstance(stages, str):
        return check_codes(parse_codes(stages), "stages")
    return check_codes({str(code): stage for code, stage in stages.items()}, "stages")


def check_codes(codes: Codes, source: str) -> dict[str, str]:
    """Validate a mapping of codes and normalize its keys.

    Parameters
    ----------
    codes : mapping of str to str
        Stage of each code.
    source : str
        Origin of the codes in error messages.

    Returns
    -------
    dict of str to str
        The mapping with lower-case keys.

    Raises
    ------
    InputError
        If a stage is unknown.
    """
    for stage in codes.values():
        if _find(stage) is None:
            cure = f"use {', '.join(STAGES)}, or ? for unscored"
            raise InputError(source, f"unknown stage {stage!r}", cure)
    return {_key(code): stage for code, stage in codes.items()}


def is_stage(word: str, codes: Codes | None = None) -> bool:
    """Return whether a word is a known stage or one of the codes.

    Parameters
    ----------
    word : str
        Stage as written in a file.
    codes : mapping of str to str, optional
        Additional words, in lower case.

    Returns
    -------
    bool
    """
    return _find(word) is not None or _key(word) in (codes or {})


def is_only_stage(word: str, codes: Codes | None = None) -> bool:
    """Return whether a word among events of all kinds is a stage and nothing else.

    Parameters
    ----------
    word : str
        Text of an annotation.
    codes : mapping of str to str, optional
        Additional words, in lower case. A number is a stage only if it is one of them.

    Returns
    -------
    bool
    """
    key = _key(word)
    return key in (codes or {}) or (key not in _UNSCORED_OR_EVENT and _find(word) is not None)


def is_number(word: str) -> bool:
    """Return whether a word is a number.

    Parameters
    ----------
    word : str
        Stage as written in a file.

    Returns
    -------
    bool
    """
    try:
        float(word)
    except ValueError:
        return False
    return True


def parse_stage(
    word: str, source: str, place: str, codes: Codes | None = None, words: Iterable[str] = ()
) -> str:
    """Return the stage that a word stands for.

    Parameters
    ----------
    word : str
        Stage as written in the file.
    source, place : str
        Name of the file and place in it, for error messages.
    codes : mapping of str to str, optional
        Meaning of numeric or unknown words, with lower-case keys.
    words : iterable of str
        All words of the file: the cure names those that are unknown as well.

    Returns
    -------
    str
        One of `STAGES`, `UNSTAGED`, or ``""`` for unscored.

    Raises
    ------
    InputError
        For an unknown word, and for a number without codes: REM is 4 in YASA and 5 in
        NSRR files.
    """
    key = _key(word)
    key = (codes or {}).get(key, key)
    stage = _find(key)
    if stage is not None:
        return stage
    cure = f"use {', '.join(STAGES)}, or ? for unscored"
    if not key:
        raise InputError(source, "stage is empty", cure, place)
    if is_number(key):
        raise InputError(
            source,
            f"stage {word!r} is a number, and programs use different numbers (REM is 4 or 5)",
            f"{cure}; or define the numbers: --stages yasa, or --stages 0=W,1=N1,2=N2,3=N3,4=R",
            place,
        )
    others = [w for w in dict.fromkeys(words) if w != word and _is_unknown(w, codes or {})]
    pairs = ",".join(f"{w}=N2" for w in (word, *others[: _MAX_NAMED - 1]))
    define = f"define {'each' if others else 'it'}: --stages '{pairs}'"
    raise InputError(source, f"unknown stage {word!r}", f"{cure}; or {define}", place)


def _is_unknown(word: str, codes: Codes) -> bool:
    """Return whether a word is no stage, and can be defined with ``--stages``."""
    key = _key(word)
    can_be_defined = bool(key) and not is_number(key) and not set("=,'") & set(key)
    return can_be_defined and len(key) <= _MAX_WORD and _find(codes.get(key, key)) is None


def _find(word: str) -> str | None:
    """Return the stage of a word, with or without the prefix ``Sleep stage``; None if unknown."""
    key = _key(word)
    if key in _WORDS:
        return _WORDS[key]
    prefix = _PREFIX.match(key)
    if prefix is None:
        return None
    rest = key[prefix.end() :]
    return _STAGE_NUMBERS.get(rest, _WORDS.get(rest))


def _key(word: str) -> str:
    """Return a word in lower case with single blanks; ``2.0`` becomes ``2``."""
    key = " ".join(word.lower().split())
    return key.removesuffix(".0") if is_number(key) else key
