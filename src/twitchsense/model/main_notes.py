"""Which notes of a recording change the result, in order of importance, each with its cure.

Readers and the analysis write notes as text: most are information (gaps, battery, markers).
Those that question the result are recognised here, so that they come first everywhere: at the
end of ``analyze``, in ``summary.json`` and in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from twitchsense.text import truncate

#: Maximum number of characters of a note with its cure; a list of columns may be long.
_MAX_LENGTH: Final = 400

#: Kinds of notes in order of importance: a regular expression, and the cure if the note has none.
_KINDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), cure)
    for pattern, cure in (
        # the signal is not what the name of its column states
        (r"at rest instead of 1 g|at rest is more than any muscle|less than the noise of an", ""),
        (r"look like counts of a converter|has no negative values", ""),
        (r"never beyond .* uV; is ", "name the column with its true unit, or check the sensor"),
        (r"the true sampling rate is", ""),
        (r"unit '.*' of the header is not known", "state the unit with --map"),
        (r"acceleration has no unit", "if this is wrong, state the unit with --map"),
        (r"takes only \d+ values|almost only mains hum|the amplifier is overloaded", ""),
        (r"never changes from", "check the sensor and its contact"),
        # stages of another time or another night
        (r"the hypnogram and the recording share no time", ""),
        (r"the hypnogram lasts .* before or after the recording", ""),
        # signal that was not read
        (r"left out: ", "a column is read if it is named with its unit (--map 'X=acc_x_g')"),
        (
            r"not analysed|no channel \S+ in this recording|, left out$|too few to be read|holds "
            r"counts or has no unit|spoiled on the disk|damaged .* left out|marked as bad and left",
            "",
        ),
        # times and rates that were not stated
        (
            r"is read as (?:Unix|the serial|the time|\w+seconds|seconds)|a missing row may look|"
            r"samples are treated as evenly spaced",
            "state the times with --time-unit or --fs if this is wrong",
        ),
        (
            r"several rows have one time|slower|single precision|clock was set|begins again",
            "",
        ),
        (r"taken to begin with the recording|has no times", "give a hypnogram with times"),
        (r"is local time|local time; --zone|known as UTC with --zone", ""),
        (r"not judged at this rate", "record at a higher rate if the device can"),
        # sleep that is estimated, or unknown
        (r"sleep (?:is guessed|was estimated) from|no hypnogram and no accelerometer", ""),
        (r"no sleep was found", "give a hypnogram if the person slept"),
        (r"the hypnogram covers", "give the stages of the whole recording"),
        (r"was probably not worn|nothing moved for", ""),
    )
)


def main_notes(notes: Iterable[str]) -> list[str]:
    """Return the notes that change the result, in order of importance, each with its cure.

    Parameters
    ----------
    notes : iterable of str
        All notes of a recording and of its analysis.

    Returns
    -------
    list of str
        The most important first; notes of one kind keep their order.
    """
    ranked: list[tuple[int, str]] = []
    for note in dict.fromkeys(notes):
        for rank, (pattern, cure) in enumerate(_KINDS):
            if pattern.search(note):
                text = truncate(note, _MAX_LENGTH - len(cure))
                ranked.append((rank, f"{text}; {cure}" if cure else text))
                break
    return [text for _, text in sorted(ranked, key=lambda entry: entry[0])]
