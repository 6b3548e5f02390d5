"""Hypnograms of YASA: its object, without importing YASA, and the JSON that it writes."""

from __future__ import annotations

from typing import Any, Final, Protocol, runtime_checkable

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.model.notes import GIVE_STAGE_TIMES, Note
from twitchsense.sleep.hypnogram.clock_times import NightClock, read_clock_times
from twitchsense.sleep.hypnogram.epoch_lengths import check_list_length
from twitchsense.sleep.hypnogram.model import Hypnogram
from twitchsense.sleep.hypnogram.stage_codes import Codes
from twitchsense.sleep.hypnogram.stage_list import place_epochs

#: Keys by which the JSON is recognized.
JSON_KEYS: Final = frozenset({"values", "freq", "n_stages"})
NOTE_START: Final = Note(
    "stages",
    "YASA: the hypnogram has no start: taken to begin with the recording",
    GIVE_STAGE_TIMES,
)
_MAX_EPOCH_S: Final = 3600.0


@runtime_checkable
class YasaHypnogram(Protocol):
    """What is used of ``yasa.Hypnogram`` (0.7 and later)."""

    @property
    def hypno(self) -> Any:
        """Stages, a pandas Series of words."""
        ...

    @property
    def freq(self) -> Any:
        """Length of an epoch, such as ``30s``."""
        ...

    @property
    def start(self) -> Any:
        """Clock time of the first epoch, or None."""
        ...


def hypnogram_from_yasa(
    given: object, clock: NightClock | None, codes: Codes, source: str = "hypnogram"
) -> Hypnogram:
    """Return the hypnogram of a YASA object.

    Parameters
    ----------
    given : YasaHypnogram
        A ``yasa.Hypnogram``. Any other object is refused.
    clock : NightClock or None
        Of the recording. A start without an offset is local time.
    codes : mapping of str to str
        Additional stage words, in lower case.
    source : str
        Name in messages.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If the object is of another kind, a stage is unknown, or the epochs do not fit the
        recording.
    """
    if not isinstance(given, YasaHypnogram):
        cure = "give a path, a table with onset, duration and stage, or a yasa.Hypnogram"
        raise InputError(source, f"is of the type {type(given).__name__}", cure)
    words = [str(word) for word in given.hypno]
    return _build(words, given.freq, given.start, clock, codes, source)


def read_yasa_json(
    data: dict[str, Any], clock: NightClock | None, codes: Codes, source: str
) -> Hypnogram:
    """Return the hypnogram of a file of ``yasa.Hypnogram.to_json``.

    Parameters
    ----------
    data : dict
        Content of the file, with `JSON_KEYS`.
    clock : NightClock or None
        Of the recording.
    codes : mapping of str to str
        Additional stage words, in lower case.
    source : str
        Name of the file in messages.

    Returns
    -------
    Hypnogram

    Raises
    ------
    InputError
        If a value is invalid, or the epochs do not fit the recording.
    """
    words = data["values"]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InputError(source, "values are not a list of stages", "write it with YASA again")
    return _build(words, data["freq"], data.get("start"), clock, codes, source)


def _build(
    words: list[str], freq: Any, start: Any, clock: NightClock | None, codes: Codes, source: str
) -> Hypnogram:
    epoch_s = _seconds(freq, source)
    zero_s = 0.0
    notes: tuple[str, ...] = ()
    if clock is not None:
        if start is None or str(start) == "NaT":
            check_list_length(len(words), (clock.stop_us - clock.start_us) / 1e6, source, epoch_s)
            zero_s, notes = clock.start_us / 1e6, (NOTE_START,)
        else:
            text = start.isoformat() if hasattr(start, "isoformat") else str(start)
            zero = clock.require_utc(source)
            found = read_clock_times([text], clock, source, lambda _: "start")
            zero_s = (int(found.utc_us[0]) - zero) / 1e6
    return place_epochs(words, zero_s, epoch_s, codes, source, notes)


def _seconds(freq: Any, source: str) -> float:
    """Return the length of an epoch."""
    try:
        seconds = float(pd.Timedelta(freq).total_seconds())
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= _MAX_EPOCH_S:
        raise InputError(source, f"freq is {freq!r}", "give the length of an epoch, such as 30s")
    return seconds
