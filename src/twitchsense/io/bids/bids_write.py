"""Exports a recording as a BIDS data set: EMG as EDF+, acceleration as motion data (m/s²).

The data set follows BIDS 1.11 (Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44; motion:
Jeung et al. 2024, doi:10.1038/s41597-024-03559-8) and has one participant and one task.
Muscle, reference electrode, placement and power line frequency are not part of a recording;
they are written as unknown, for the owner to complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.bids.bids_names import ROOT_FILE
from twitchsense.io.edf.edf_write import edf_labels, group_by_time_base, write_edf
from twitchsense.model.channels import NS, Channel
from twitchsense.model.column_names import STANDARD_GRAVITY
from twitchsense.model.recording import Recording
from twitchsense.output_files import check_output_directory, staged
from twitchsense.text import escape_formula

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are written at once.
_BLOCK_ROWS: Final = 200_000
#: Label of the only participant.
_SUBJECT: Final = "sub-01"
#: Name of the only task.
_TASK: Final = "sleep"
#: File that makes a folder a data set.
#: Missing value.
_NA: Final = "n/a"
#: Zero of a recording without clock time: BIDS asks for a year before 1925 then.
_UNKNOWN_START: Final = datetime(1924, 1, 1)
#: Version of the HED schema of the tags of events.
_HED_VERSION: Final = "8.4.0"
_README: Final = """A night of surface EMG and acceleration of a leg, exported by twitchsense.

Missing samples are missing: the EDF+ files are discontinuous where the recording was, and
the LATENCY column of the motion files gives the time at which each row was sampled. The times
of scans.tsv align the files; if their year is 1924, only the differences are known. Muscle,
reference, placement and power line frequency are not part of the recording: please complete
them.
"""


@dataclass(frozen=True, slots=True)
class BidsEvents:
    """Events to write beside each data file.

    Attributes
    ----------
    table : DataFrame
        Text, with ``onset`` in s from the zero of the recording.
    sidecar : dict
        Description of the columns.
    """

    table: pd.DataFrame
    sidecar: Mapping[str, Any]


def write_bids(recording: Recording, out: Path, events: BidsEvents | None = None) -> list[Path]:
    """Write a BIDS data set: all of it, or nothing.

    Parameters
    ----------
    recording : Recording
    out : Path
        Folder of the data set. It is created if it does not exist.
    events : BidsEvents, optional
        Events of the recording.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder is not empty, or cannot be written.
    """
    check_output_directory(out)
    if out.exists() and any(out.iterdir()):
        raise InputError(str(out), "is not empty", "choose another --out")
    groups = group_by_time_base(recording)
    for group in groups:
        if group[0].kind == "emg":
            edf_labels(group)  # refuses a name that EDF has no room for, before a file exists
    with staged(out, replace=False, last=ROOT_FILE) as folder:
        paths = _write_data_set(recording, groups, folder, events)
        return [out / path.relative_to(folder) for path in paths]


def _write_data_set(
    recording: Recording, groups: Sequence[list[Channel]], out: Path, events: BidsEvents | None
) -> list[Path]:
    description: dict[str, Any] = {
        "Name": "Night of leg EMG and acceleration",
        "BIDSVersion": "1.11.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "twitchsense"}],
    }
    if events is not None:
        description["HEDVersion"] = _HED_VERSION
    paths = [
        _write(out / "README", _README),
        _write_json(out / ROOT_FILE, description),
        _write(out / "participants.tsv", f"participant_id\n{_SUBJECT}\n"),
    ]
    scans: list[list[str]] = []
    for kind, write in (("emg", _write_emg), ("acc", _write_motion)):
        of_kind = [g for g in groups if g[0].kind == kind]
        for group, label in zip(of_kind, _device_labels(of_kind), strict=True):
            data, *sidecars = write(recording, group, out / _SUBJECT, label)
            paths += [data, *sidecars]
            begin_ns = recording.segments_of(group[0].name)[0].start_ns
            name = data.relative_to(out / _SUBJECT).as_posix()
            scans.append([name, _acquisition_time(recording, begin_ns)])
            if events is not None:
                paths += _write_events(events, data, begin_ns)
    header = ["filename", "acq_time"]
    paths.append(write_tsv(out / _SUBJECT / f"{_SUBJECT}_scans.tsv", header, scans))
    return paths


def _device_labels(groups: Sequence[Sequence[Channel]]) -> list[str]:
    """Label each device of a kind, by its leg if the legs differ; "" if there is only one."""
    if len(groups) == 1:
        return [""]
    legs = ["".join(sorted({c.leg or "" for c in group})) for group in groups]
    if all(legs) and len(set(legs)) == len(legs):
        return legs
    return [f"device{i + 1}" for i in range(len(groups))]


def _acquisition_time(recording: Recording, begin_ns: int) -> str:
    """Return the time of a file's first sample, from `_UNKNOWN_START` without a clock."""
    utc_ns = recording.start_utc_ns
    if utc_ns is None:
        return (_UNKNOWN_START + timedelta(microseconds=begin_ns / 1000)).isoformat(
            "T", "microseconds"
        )
    when = datetime(1970, 1, 1) + timedelta(microseconds=(utc_ns + begin_ns) // 1000)
    return when.isoformat("T", "microseconds") + "Z"


def _write_events(events: BidsEvents, data: Path, begin_ns: int) -> list[Path]:
    """Write the events of a data file, with onsets from its first sample."""
    stem = data.name.rpartition("_")[0]
    table = events.table
    onsets = [f"{float(onset) - begin_ns / NS:.6f}" for onset in table["onset"]]
    rows = table.assign(onset=onsets).to_numpy().tolist()
    header = [str(name) for name in table.columns]
    text = "".join("\t".join(map(str, row)) + "\n" for row in [header, *rows])
    return [
        _write(data.with_name(f"{stem}_events.tsv"), text),
        _write_json(data.with_name(f"{stem}_events.json"), events.sidecar),
    ]


def _write_emg(
    recording: Recording, group: Sequence[Channel], folder: Path, label: str
) -> list[Path]:
    """Write EMG channels with a common time base; return the files, data first."""
    # `recording` tells devices with own clocks apart, `acq` their settings
    devices = f"_acq-{label}_recording-{label}" if label else ""
    stem = f"{_SUBJECT}_task-{_TASK}{devices}"
    folder = folder / "emg"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{stem}_emg.edf"
    write_edf(recording, group, data)
    segments = recording.segments_of(group[0].name)
    names = edf_labels(group)
    sidecar = {
        "TaskName": _TASK,
        "SamplingFrequency": group[0].fs,
        "PowerLineFrequency": _NA,
        "EMGReference": _NA,
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": "on a leg; not recorded in more detail",
        "SoftwareFilters": _NA,
        "EMGChannelCount": len(names),
        "RecordingType": "continuous" if len(segments) == 1 else "discontinuous",
        "RecordingDuration": sum(len(s.samples) for s in segments) / group[0].fs,
    }
    header = ["name", "type", "units", "description", "reference", "target_muscle"]
    where = [f"{c.leg} leg" if c.leg else "leg" for c in group for _ in c.columns]
    rows = [[n, "EMG", "uV", w, _NA, _NA] for n, w in zip(names, where, strict=True)]
    return [
        data,
        _write_json(folder / f"{stem}_emg.json", sidecar),
        write_tsv(folder / f"{stem}_channels.tsv", header, rows),
    ]


def _write_motion(
    recording: Recording, group: Sequence[Channel], folder: Path, label: str
) -> list[Path]:
    """Write accelerometers with a common time base; return the files, data first."""
    system = f"imu{label}"
    stem = f"{_SUBJECT}_task-{_TASK}_tracksys-{system}"
    folder = folder / "motion"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{stem}_motion.tsv"
    count = 0
    with data.open("w", encoding="utf-8", newline="") as file:
        for table in _motion_tables(recording, group):
            table.to_csv(file, sep="\t", header=False, index=False, float_format="%.9g")
            count += len(table)
    # without the unit, which is not that of the recording
    names = [name.removesuffix("_g") for channel in group for name in channel.columns]
    points = [c.leg or "leg" for c in group for _ in c.columns]
    sidecar = {
        "TaskName": _TASK,
        "SamplingFrequency": round(group[0].fs),
        "SamplingFrequencyEffective": group[0].fs,
        "TrackingSystemName": system,
        "ACCELChannelCount": len(names),
        "LATENCYChannelCount": 1,
        "MotionChannelCount": len(names) + 1,
        "TrackedPointsCount": len(group),
        "MissingValues": "rows that were not sampled are left out; see LATENCY",
    }
    header = ["name", "component", "type", "tracked_point", "units"]
    rows = [
        ["latency", _NA, "LATENCY", _NA, "s"],
        *(
            [name, name[-1], "ACCEL", point, "m/s^2"]
            for name, point in zip(names, points, strict=True)
        ),
    ]
    return [
        data,
        _write_json(folder / f"{stem}_motion.json", sidecar),
        write_tsv(folder / f"{stem}_channels.tsv", header, rows),
    ]


def _motion_tables(recording: Recording, group: Sequence[Channel]) -> Iterator[pd.DataFrame]:
    """Yield latency (s, from the first sample) and acceleration (m/s²) in blocks of rows."""
    import pandas as pd

    fs = group[0].fs
    columns = [recording.segments_of(c.name) for c in group]
    for segments in zip(*columns, strict=True):
        begin_s = (segments[0].start_ns - columns[0][0].start_ns) / NS
        for start in range(0, len(segments[0].samples), _BLOCK_ROWS):
            blocks = [
                s.samples.read(start, start + _BLOCK_ROWS).astype(np.float64) for s in segments
            ]
            latency = begin_s + np.arange(start, start + len(blocks[0])) / fs
            table = pd.DataFrame(np.column_stack([b * STANDARD_GRAVITY for b in blocks]))
            table.insert(0, "latency", np.char.mod("%.6f", latency))
            yield table


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _write_json(path: Path, content: Mapping[str, object]) -> Path:
    return _write(path, json.dumps(content, indent=2) + "\n")


def write_tsv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    """Write a tab-separated table, with texts that spreadsheets cannot take for formulas.

    Parameters
    ----------
    path : Path
    header : sequence of str
    rows : sequence of sequence of str

    Returns
    -------
    Path
        `path`.
    """
    return _write(
        path, "".join("\t".join(map(escape_formula, row)) + "\n" for row in [header, *rows])
    )
