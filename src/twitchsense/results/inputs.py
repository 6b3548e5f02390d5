"""What `analyze` accepts: recordings, hypnograms, respiratory events and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast, get_args

import pandas as pd

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.read import hash_files, read
from twitchsense.model.channels import Leg
from twitchsense.model.notes import Note
from twitchsense.model.recording import Recording
from twitchsense.settings import DEFAULT_PROFILE, Settings, get_profile, load_settings
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import check_codes, codes_of
from twitchsense.sleep.hypnogram.stage_list import StageList, hypnogram_from_list, is_stage_list
from twitchsense.sleep.hypnogram.yasa import YasaHypnogram, hypnogram_from_yasa
from twitchsense.sleep.lab_files.respiratory_events import read_respiratory_events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from twitchsense.io.read import Source

    #: What becomes a recording: what `read` takes, several of it, or named arrays.
    RecordingInput: TypeAlias = (
        Recording | Source | Sequence[Source] | Mapping[str, tuple[Any, float]]
    )

#: Files whose annotations may be sleep stages.
_EDF_SUFFIXES: Final = (".edf", ".bdf", ".rec")
#: What becomes a hypnogram.
HypnogramInput = str | PathLike[str] | pd.DataFrame | Hypnogram | YasaHypnogram | StageList


def to_settings(settings: Settings | str | PathLike[str] | None, profile: str | None) -> Settings:
    """Return the settings of an analysis.

    Parameters
    ----------
    settings : Settings, path of a TOML file, or None
    profile : str or None
        Name of a profile. A TOML file changes its values.

    Returns
    -------
    Settings

    Raises
    ------
    InputError
        If both a profile and a `Settings` object are given, or one cannot be used.
    """
    if isinstance(settings, Settings):
        if profile is not None:
            raise InputError(
                "profile", "is given beside settings", "give one, or the path of a settings file"
            )
        return settings
    base = get_profile(profile or DEFAULT_PROFILE)
    return base if settings is None else load_settings(Path(settings), base)


def to_recording(
    data: RecordingInput, settings: Settings, leg: str | None, **options: Any
) -> Recording:
    """Return the recording to be analysed.

    Parameters
    ----------
    data : Recording, path, DataFrame, mne.io.Raw, sequence of these, or mapping
        A mapping is taken as by `Recording.from_arrays`.
    settings : Settings
        Column names, legs and time zone of the files.
    leg : {'left', 'right'} or None
        Leg of all channels for which nothing else names one.
    **options
        ``columns``, ``zone``, ``fs``, ``time_unit``, ``start`` and ``gain`` of `read`; None if
        not given.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        If the recording cannot be read, or an option is given with a recording that is read.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(data, Mapping):
        zone, start = given.pop("zone", settings.zone), given.pop("start", None)
        data = Recording.from_arrays(data, start=start, zone=zone)
    if isinstance(data, Recording):
        if given:
            raise InputError(
                next(iter(given)),
                "is for files and tables, but the signals have been read",
                "give it to ts.read, or leave it out",
            )
        return data if leg is None else _with_leg(data, leg)
    given.setdefault("zone", settings.zone)
    given["columns"] = {**settings.columns, **given.get("columns", {})}
    return read(data, legs=settings.legs, leg=leg, **given)


def to_hypnogram(
    given: HypnogramInput | None,
    recording: Recording,
    settings: Settings,
    epoch_s: float | None,
    stages: str | Mapping[Any, str] | None,
) -> Hypnogram | None:
    """Return a hypnogram on the time axis of a recording.

    Parameters
    ----------
    given : path, DataFrame, Hypnogram, yasa.Hypnogram, list of stages, or None
    recording : Recording
    settings : Settings
    epoch_s : float or None
        Length of an epoch in seconds, for a list of stages.
    stages : str, mapping of str to str, or None
        Meaning of numbers and of additional words; precedes that of `settings`.

    Returns
    -------
    Hypnogram or None

    Raises
    ------
    InputError
        If it cannot be used.
    """
    codes = check_codes(settings.stages, "settings") | codes_of(stages)
    clock = NightClock.from_recording(recording, settings.zone)
    if isinstance(given, pd.DataFrame) and "stage" in given and "onset" not in given:
        given = given["stage"]
    if is_stage_list(given):
        return hypnogram_from_list(cast("StageList", given), epoch_s, clock, codes)
    if epoch_s is not None:
        raise InputError(
            "epoch_s",
            "is the epoch length of a list of stages",
            "leave it out for a hypnogram with times",
        )
    if given is None or isinstance(given, Hypnogram):
        if stages is not None:
            raise InputError(
                "stages",
                "says what numbers and words of a hypnogram mean, but there are none to read",
                "leave it out, or give a hypnogram of a table, a list or a file",
            )
        return given
    if isinstance(given, pd.DataFrame):
        return Hypnogram.from_frame(given, codes=codes)
    if isinstance(given, (str, PathLike)):
        return read_hypnogram(Path(given), _clock_for(given, recording, settings), codes)
    return hypnogram_from_yasa(given, clock, codes)


def _clock_for(path: str | PathLike[str], recording: Recording, settings: Settings) -> NightClock:
    """Return the clock by which a file is placed, which may be that of the recording itself."""
    clock = NightClock.from_recording(recording, settings.zone)
    own = Path(path).name == Path(recording.source).name
    return replace(clock, own_file=own and hash_files([Path(path)]) == recording.sha256)


def unused_stages_notes(captures: object) -> tuple[Note, ...]:
    """Return a note on each EDF+ or BDF+ file of a recording that holds sleep stages.

    Parameters
    ----------
    captures : path, sequence of these, or another form of a recording
        Only paths are looked at.

    Returns
    -------
    tuple of Note
        For an analysis without a hypnogram.
    """
    listed = captures if isinstance(captures, (list, tuple)) else [captures]
    notes: list[Note] = []
    for item in listed:
        if not isinstance(item, (str, PathLike)) or Path(item).suffix.lower() not in _EDF_SUFFIXES:
            continue
        try:
            count = int((read_hypnogram(item).stage != "").sum())
        except (InputError, MissingExtraError):
            continue  # no stages, or none that could be given as a hypnogram
        if not count:
            continue
        name = Path(item).name
        what = "1 sleep stage, which is" if count == 1 else f"{count} sleep stages, which are"
        notes.append(Note("stages", f"{name} holds {what} not used", f"add --hypnogram {name}"))
    return tuple(notes)


def to_respiratory(
    given: str | PathLike[str] | pd.DataFrame | None, recording: Recording, settings: Settings
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Return respiratory events and the notes of their reader.

    Parameters
    ----------
    given : path, DataFrame or None
    recording : Recording
    settings : Settings

    Returns
    -------
    events : DataFrame or None
    notes : tuple of str

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if given is None or isinstance(given, pd.DataFrame):
        return given, ()
    found = read_respiratory_events(Path(given), _clock_for(given, recording, settings))
    return found.events, found.notes


def _with_leg(recording: Recording, leg: str) -> Recording:
    if leg not in get_args(Leg):
        raise InputError("leg", f"'{leg}' is not a leg", "write left or right")
    channels = tuple(
        c if c.leg is not None else replace(c, leg=cast("Leg", leg)) for c in recording.channels
    )
    return replace(recording, channels=channels)
