"""The hypnogram of a laboratory's annotations."""

from __future__ import annotations

import numpy as np

from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.epoch_lengths import EPOCH_S
from twitchsense.sleep.hypnogram.model import Hypnogram, build_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes, parse_stage
from twitchsense.sleep.hypnogram.stage_words import (
    bare_stage,
    left_out_note,
    no_stages,
    select_stages,
)
from twitchsense.sleep.lab_files.lab_annotations import LabAnnotation, LabFile


def hypnogram_of_lab_file(file: LabFile, source: str, codes: Codes) -> Hypnogram:
    """Return the sleep stages among the annotations of a file.

    Channel and scorer after a stage are removed. Other annotations are left out and named
    in the notes. A stage without a duration lasts until the next one, and 30 s if it is the
    last. An epoch with the same stage twice counts once.

    Parameters
    ----------
    file : LabFile
    source : str
        Name of the file in messages.
    codes : mapping of str to str
        Meaning of numeric or unknown stage words, with lower-case keys.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If there is no stage, a stage is unknown, or two scorings contradict each other.
    """
    known = {**file.stage_codes, **codes}
    words = {id(a): bare_stage(a.text, known) for a in file.annotations}
    stages = [a for a in file.annotations if a.kind == "stage"]
    if stages:
        others = [words[id(a)] for a in file.annotations if a.kind != "stage"]
        notes = left_out_note(others, "sleep stage")
    else:
        undecided = [a for a in file.annotations if a.kind == "any"]
        if file.annotations and not undecided:
            raise no_stages(words.values(), source)
        listed = [words[id(a)] for a in undecided]
        rows, notes = select_stages(listed, source, lambda k: undecided[k].place, known)
        stages = [undecided[k] for k in rows]
    stages = _unique(sorted(stages, key=lambda a: a.onset_us), words, known, source)
    onset = np.array([a.onset_us for a in stages], np.int64)
    until_next = np.append(np.diff(onset), round(EPOCH_S * 1e6))
    length = np.array([a.duration_us or u for a, u in zip(stages, until_next, strict=True)])
    made = build_hypnogram(
        onset / 1e6, length / 1e6, [words[id(a)] for a in stages], source,
        lambda k: stages[k].place, known,
    )  # fmt: skip
    return Hypnogram(made.onset_s, made.duration_s, made.stage, source, (*notes, *file.notes))


def _unique(
    stages: list[LabAnnotation], words: dict[int, str], codes: Codes, source: str
) -> list[LabAnnotation]:
    """Return the stages without those that repeat the one before."""
    out: list[LabAnnotation] = []
    for item in stages:
        if out and item.onset_us == out[-1].onset_us and item.duration_us == out[-1].duration_us:
            pair = [parse_stage(words[id(a)], source, a.place, codes) for a in (out[-1], item)]
            if pair[0] == pair[1]:
                continue
            problem = f"one epoch is scored twice, {out[-1].text!r} and {item.text!r}"
            raise InputError(source, problem, "keep the annotations of one scorer", item.place)
        out.append(item)
    return out
