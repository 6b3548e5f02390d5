"""Captures that MNE-Python reads: fif, BrainVision, EEGLAB, GDF, Neuroscan and others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from twitchsense.errors import InputError, MissingExtraError
from twitchsense.io.channels.capture import ColumnMapping, ignored_columns_note
from twitchsense.io.channels.channel_builder import ChannelBuilder
from twitchsense.io.channels.labelled_signals import LabelledSignal, leg_suffix, plan_signals
from twitchsense.io.channels.local_start import local_to_utc
from twitchsense.io.edf.edf_header import read_edf_header
from twitchsense.model.channels import NS
from twitchsense.model.notes import GIVE_ZONE, Note, with_source
from twitchsense.model.units import parse_unit

if TYPE_CHECKING:
    from mne.io import BaseRaw

#: Values that are read at once.
_BLOCK_VALUES: Final = 1 << 20
#: Endings of files whose start is UTC; in others it is local time, which MNE takes for UTC.
_UTC_FORMATS: Final = (".fif", ".fif.gz", ".mff", ".snirf")
_EDF_FORMATS: Final = (".edf", ".bdf")
#: Code of volts as the unit of a channel in MNE (FIFF_UNIT_V).
_VOLTS: Final = 107
#: Annotation of time in which nothing was recorded.
_SKIP: Final = "BAD_ACQ_SKIP"
#: Annotations of places at which recording went on after a break of unknown length.
_BREAKS: Final = re.compile(r"New Segment/|EDGE boundary|boundary", re.IGNORECASE)


class MneCapture:
    """A file that MNE reads, or an ``mne.io.Raw``, as a `Capture`.

    Parameters
    ----------
    file : Path or mne.io.Raw
        File or folder, or what MNE made of one.
    source : str
        Name of the file in messages.
    mapping : ColumnMapping
    zone : str or None
        IANA time zone of the start, in formats that store local time.

    Raises
    ------
    InputError
        If MNE cannot read the file, or it holds no usable signal.
    MissingExtraError
        If MNE is not installed.
    """

    def __init__(
        self, file: Path | BaseRaw, source: str, mapping: ColumnMapping, zone: str | None
    ) -> None:
        self.source = source
        resampled = ""
        if isinstance(file, Path):
            _check_rates(file, source)
            self._raw = _open_raw(file, source)
            path: Path | None = file
        else:
            self._raw = file
            path = _path_of(file)
            resampled = _resampling_note(path, source)
        signals = [_describe(self._raw, i) for i in range(len(self._raw.ch_names))]
        plan = plan_signals(source, signals, mapping)
        self.headers: Sequence[str] = tuple(self._raw.ch_names)
        self.plans = plan.channels
        self._index, self._factors = plan.index, plan.factors
        self._stretches = _stretches(self._raw, source)
        self._fs = float(self._raw.info["sfreq"])
        in_utc = path is None or path.name.casefold().endswith(_UTC_FORMATS)
        start, note = _start(self._raw, in_utc, zone)
        self.time_axis = "time_s" if start is None else "time_utc"
        self._zero_ns = 0 if start is None else round(start.timestamp() * 1e6) * 1000
        notes = tuple(with_source(source, text) for text in (note, resampled) if text)
        self.notes = (*ignored_columns_note(source, plan.ignored), *plan.notes, *notes)

    def first_time_ns(self) -> int:
        """Return the time of the first sample in ns."""
        return self._zero_ns + round(self._stretches[0][0] * NS / self._fs)

    def read_into(self, builders: Mapping[str, ChannelBuilder]) -> tuple[int, int]:
        """Append all samples to the builders of their channels; see `Capture.read_into`."""
        picks = sorted(set(self._index.values()))
        row = {name: picks.index(i) for name, i in self._index.items()}
        last = self.first_time_ns()
        for start, values in self._blocks(picks):
            index = np.arange(start, start + values.shape[1])
            times_ns = self._zero_ns + np.rint(index * (NS / self._fs)).astype(np.int64)
            last = int(times_ns[-1])
            for plan in self.plans:
                columns = [values[row[n]] * self._factors[n] for n in plan.names]
                builders[plan.name].append(times_ns, columns)
        return self.first_time_ns(), last

    def locate(self, time_ns: int) -> str | None:
        """Return a time as seconds from the start of the file, for messages."""
        return f"{(time_ns - self._zero_ns) / NS:.3f} s"

    def _blocks(self, picks: list[int]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield the first sample and the values of blocks, shape (channels, n)."""
        size = max(1, _BLOCK_VALUES // len(self.headers))
        for begin, end in self._stretches:
            for start in range(begin, end, size):
                stop = min(start + size, end)
                try:
                    yield start, self._raw.get_data(picks, start, stop, verbose="error")
                except Exception as error:
                    raise _cannot_read(self.source, error) from error


def _check_rates(path: Path, source: str) -> None:
    """Refuse EDF with several rates, of which MNE would resample the slower ones."""
    if path.suffix.casefold() not in _EDF_FORMATS:
        return
    counts = {s.count for s in read_edf_header(path, source).signals if not s.is_annotation}
    if len(counts) > 1:
        raise InputError(
            source, "MNE would resample its slower signals", "read it without --via mne"
        )


def is_raw(data: object) -> TypeGuard[BaseRaw]:
    """Return whether an object is an ``mne.io.Raw``, without importing MNE."""
    return any(
        cls.__name__ == "BaseRaw" and cls.__module__.startswith("mne.") for cls in type(data).mro()
    )


def name_of_raw(raw: BaseRaw) -> str:
    """Return the name of the file from which MNE read, or ``mne.Raw``."""
    path = _path_of(raw)
    return "mne.Raw" if path is None else path.name


def _path_of(raw: BaseRaw) -> Path | None:
    names = [name for name in raw.filenames if name is not None]
    return Path(names[0]) if names else None


def _resampling_note(path: Path | None, source: str) -> str:
    """Return a note if MNE has resampled signals of the file; empty if not, or unknown."""
    if path is None or not path.is_file():
        return ""
    try:
        _check_rates(path, source)
    except InputError:
        return Note(
            "times",
            "MNE resampled its slower signals; give the file itself to read them as recorded",
        )
    return ""


def _open_raw(path: Path, source: str) -> BaseRaw:
    try:
        import mne
    except ImportError as error:
        raise MissingExtraError("mne", "reading files by MNE") from error
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return mne.io.read_raw(path, preload=False, verbose="error")
    except Exception as error:
        # readers of MNE raise what their format's parser raises
        raise _cannot_read(source, error) from error


def _cannot_read(source: str, error: Exception) -> InputError:
    text = " ".join(str(error).split()) or type(error).__name__
    return InputError(source, f"MNE cannot read it ({text})", "export it as EDF or CSV")


def _describe(raw: BaseRaw, index: int) -> LabelledSignal:
    """Return label, unit and, for EMG, a suggested name of a channel."""
    import mne

    label = raw.ch_names[index]
    original = str(getattr(raw, "_orig_units", {}).get(label, ""))
    if parse_unit(original) in ("g", "mg", "ms2"):
        unit = original  # which MNE does not convert
    else:
        unit = "V" if raw.info["chs"][index]["unit"] == _VOLTS else ""
    suggested = ""
    if mne.channel_type(raw.info, index) == "emg":
        types = raw.get_channel_types()
        number = types[: index + 1].count("emg")
        suggested = f"emg{number}{leg_suffix(label)}"
    return LabelledSignal(label, unit, suggested)


def _stretches(raw: BaseRaw, source: str) -> list[tuple[int, int]]:
    """Return first and last sample (exclusive) of the stretches that were recorded."""
    fs, count = float(raw.info["sfreq"]), int(raw.n_times)
    if not count:
        raise InputError(source, "holds no samples", "record or export it again")
    recorded = np.ones(count, bool)
    for mark in raw.annotations:
        # annotations do not count from the first sample
        onset_s = mark["onset"] - raw.first_time
        first = round(onset_s * fs)
        if mark["description"] == _SKIP:
            recorded[max(0, first) : max(0, first + round(mark["duration"] * fs))] = False
        elif first > 0 and _BREAKS.match(mark["description"]):
            raise InputError(
                source,
                "recording went on after a break of unknown length",
                "save the parts before and after as two files",
                f"{onset_s:.3f} s",
            )
    edges = np.flatnonzero(np.diff(np.concatenate([[False], recorded, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _start(raw: BaseRaw, in_utc: bool, zone: str | None) -> tuple[datetime | None, str]:
    """Return the UTC of the first sample, and a note if it cannot be known."""
    when: Any = raw.info["meas_date"]
    if when is None:
        return None, ""
    since = timedelta(seconds=raw.first_time)  # not 0 if the beginning was cropped
    if in_utc:
        return when.astimezone(UTC) + since, ""
    local = when.replace(tzinfo=None)
    if zone is None:
        return None, Note(
            "times", f"begins at {local + since:%Y-%m-%d %H:%M:%S} local time", GIVE_ZONE
        )
    utc, note = local_to_utc(local, zone)
    return utc + since, note
