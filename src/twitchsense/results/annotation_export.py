"""Exports the events of a result directory for other programs: Luna, NSRR, MNE and BIDS."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.bids.bids_write import BidsEvents
from twitchsense.model.channels import NS
from twitchsense.model.recording import Recording
from twitchsense.output_files import check_output_directory, check_target, staged
from twitchsense.results.load import SavedNight
from twitchsense.scoring.annotations import since, to_annotations, to_bids, to_luna, to_nsrr

#: Name of the file of each kind.
EVENT_FILES: Final = {
    "annot": "events.annot",
    "nsrr": "events-nsrr.xml",
    "mne": "events-annot.csv",
}


def write_events(night: SavedNight, kind: str, out: Path, *, force: bool = False) -> Path:
    """Write the events of a night, and its stages where the format has them.

    Parameters
    ----------
    night : SavedNight
    kind : {'annot', 'nsrr', 'mne'}
        Luna ``.annot``, XML of the NSRR, or MNE annotations: CSV, or text if the clock time
        is unknown. (MNE rounds the times in a fif file to 2 ms after 8 h.)
    out : Path
        Folder. It is created if it does not exist.
    force : bool
        Whether to replace the file of an earlier export.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the folder already holds such a file.
    MissingExtraError
        If `kind` is ``mne`` and MNE is not installed.
    """
    check_output_directory(out)
    path = out / EVENT_FILES[kind]
    start = night.recording.start_utc_ns
    if kind == "mne" and start is None:
        path = path.with_suffix(".txt")  # times in CSV are clock times
    check_target(path, force)
    if kind == "mne":
        columns = {channel.name: channel.columns for channel in night.recording.channels}
        events = night.events
        if start is None:  # onsets of such annotations count from the first sample
            events = since(events, night.recording.start_ns / NS)
        annotations = to_annotations(events, start, columns=columns)
        with staged(out, replace=force) as folder, warnings.catch_warnings():
            # a missing cell is None, which has no type
            warnings.filterwarnings("ignore", message="Extra field", category=RuntimeWarning)
            annotations.save(folder / path.name, verbose="error")
        return path
    # second 0 of the EDF of this recording is the full second before its first sample
    zero_s = night.recording.start_ns // NS
    events, epochs = since(night.events, zero_s), since(night.epochs, zero_s)
    text = {"annot": to_luna, "nsrr": to_nsrr}[kind](events, epochs)
    with staged(out, replace=force) as folder:
        (folder / path.name).write_text(text, encoding="utf-8", newline="")
    return path


def bids_events(night: SavedNight, recording: Recording) -> BidsEvents:
    """Return the events of a night for the BIDS data set of its recording.

    Parameters
    ----------
    night : SavedNight
    recording : Recording

    Returns
    -------
    BidsEvents

    Raises
    ------
    InputError
        If the night was analysed from other files.
    """
    if night.recording.sha256 != recording.sha256:
        raise InputError(
            str(night.directory),
            f"was analysed from other files ({night.recording.source})",
            "give the results of these captures",
        )
    return BidsEvents(*to_bids(night.events, night.settings))
