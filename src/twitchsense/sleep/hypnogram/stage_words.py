"""Find the stages among annotations, and name what is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.stage_codes import Codes, is_only_stage, is_stage

#: Channel or scorer after the text of an annotation: ``Sleep stage W@@C3``.
_SUFFIX: Final = re.compile(r"\s*@.*$", re.DOTALL)
#: Scorer after a stage: ``Sleep stage W (A)``, ``N2 [scorer 1]``, ``N2 - A``, ``N2; A``.
_SCORER: Final = re.compile(r"^(.*?)\s*(?:\s-\s.*|[(\[;|].*)$", re.DOTALL)
#: Words that can only be meant as a stage.
_STAGE_LIKE: Final = re.compile(
    r"(sleep[\s_-]*stage|sleep[\s_-]*s\d|stage\b|stadium\b|schlafstadium|stade\b|n?rem[\s_-]?(sleep|\d)?$|"
    r"n\s?[1-4]$|s\s?[0-5]$)"
)
#: So many different words are named in a note, and no more.
_MOST_NAMED: Final = 6


def bare_stage(text: str, codes: Codes | None = None) -> str:
    """Return an annotation without its channel and its scorer.

    Parameters
    ----------
    text : str
        Text of an annotation.
    codes : mapping of str to str, optional
        Additional stage words, in lower case.

    Returns
    -------
    str
        The part before ``@``; what stands in brackets or after a dash is taken off only
        if the rest is a stage.
    """
    bare = _SUFFIX.sub("", " ".join(text.split()))
    scorer = _SCORER.match(bare)
    if not is_stage(bare, codes) and scorer and is_stage(scorer[1], codes):
        return scorer[1]
    return bare


def select_stages(
    texts: Sequence[str], source: str, place: Callable[[int], str], codes: Codes
) -> tuple[list[int], tuple[str, ...]]:
    """Return the rows that are stages, and a note that names all others.

    Parameters
    ----------
    texts : sequence of str
        Annotations without suffixes.
    source : str
        Name of the file in messages.
    place : callable
        Maps a row number (from 0) to its place in the file, for messages.
    codes : mapping of str to str
        Additional stage words, in lower case. Numbers are stages only with them.

    Returns
    -------
    rows : list of int
    notes : tuple of str

    Raises
    ------
    InputError
        If there is no stage, and for a word that is meant as a stage but unknown.
    """
    rows, others = [], []
    for row, text in enumerate(texts):
        if is_only_stage(text, codes):
            rows.append(row)
        elif _STAGE_LIKE.match(text.lower()):
            raise InputError(
                source, f"unknown stage {text!r}",
                f"define it: --stages '{text}=N2' (W, N1, N2, N3, R, or ? for unscored)",
                place(row),
            )  # fmt: skip
        else:
            others.append(text)
    if not rows:
        raise no_stages(others, source)
    return rows, left_out_note(others, "sleep stage")


def no_stages(words: Iterable[str], source: str) -> InputError:
    """Return the error of a file without stages.

    Parameters
    ----------
    words : iterable of str
        Its annotations.
    source : str
        Name of the file.

    Returns
    -------
    InputError
    """
    problem = f"has no sleep stages among its annotations ({name_words(words) or 'none'})"
    return InputError(source, problem, "give the file of the sleep stages")


def left_out_note(words: Iterable[str], wanted: str) -> tuple[str, ...]:
    """Return a note that names the words left out, or none.

    Parameters
    ----------
    words : iterable of str
        One for each annotation left out.
    wanted : str
        What they are not, in the singular.

    Returns
    -------
    tuple of str
    """
    listed = list(words)
    if not listed:
        return ()
    count = len(listed)
    what = (
        f"annotation that is not a {wanted}"
        if count == 1
        else f"annotations that are not {wanted}s"
    )
    return (f"left out {count} {what}: {name_words(listed)}",)


def name_words(words: Iterable[str]) -> str:
    """Return different words with their counts, most frequent first.

    Parameters
    ----------
    words : iterable of str

    Returns
    -------
    str
    """
    counts = Counter(word[:60] for word in words).most_common()
    named = [f"{word!r}" + (f" ({n})" if n > 1 else "") for word, n in counts[:_MOST_NAMED]]
    if len(counts) > _MOST_NAMED:
        named.append(f"and {len(counts) - _MOST_NAMED} more")
    return ", ".join(named)
