"""Exports a recording as a BIDS data set: EMG as EDF+, acceleration as motion data (m/s²).

The data set follows BIDS 1.11 (Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44; motion:
Jeung et al. 2024, doi:10.1038/s41597-024-03559-8) and has one participant and one task.
Electrode placement, muscle and power line frequency are not part of a recording; they are
written as unknown, for the owner to complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from twitchsense.errors import InputError
from twitchsense.io.edf_write import group_by_time_base, write_edf
from twitchsense.model.channels import NS, Channel
from twitchsense.model.column_names import STANDARD_GRAVITY
from twitchsense.model.recording import Recording
from twitchsense.text import escape_formula

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are written at once.
_BLOCK_ROWS: Final = 200_000
#: Label of the only participant.
_SUBJECT: Final = "sub-01"
#: Name of the only task.
_TASK: Final = "sleep"
_README: Final = """A night of surface EMG and acceleration of a leg, exported by twitchsense.

Missing samples are missing: the EDF+ files are discontinuous where the recording was, and
the LATENCY column of the motion files gives the time at which each row was sampled. Muscle,
placement and power line frequency are not part of the recording: please complete them.
"""


def write_bids(recording: Recording, out: Path) -> list[Path]:
    """Write a BIDS data set.

    Parameters
    ----------
    recording : Recording
    out : Path
        Folder of the data set. It is created if it does not exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the folder is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(str(out), "is not empty", "choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    groups = group_by_time_base(recording)
    paths = [
        _write(out / "README", _README),
        _write_json(
            out / "dataset_description.json",
            {
                "Name": "Night of leg EMG and acceleration",
                "BIDSVersion": "1.11.0",
                "DatasetType": "raw",
                "GeneratedBy": [{"Name": "twitchsense"}],
            },
        ),
        _write(out / "participants.tsv", f"participant_id\n{_SUBJECT}\n"),
    ]
    for kind, write in (("emg", _write_emg), ("acc", _write_motion)):
        of_kind = [g for g in groups if g[0].kind == kind]
        for number, group in enumerate(of_kind):
            paths += write(recording, group, out / _SUBJECT, number if len(of_kind) > 1 else None)
    return paths


def _write_emg(
    recording: Recording, group: Sequence[Channel], folder: Path, number: int | None
) -> list[Path]:
    """Write EMG channels with a common time base; return the files."""
    stem = f"{_SUBJECT}_task-{_TASK}" + ("" if number is None else f"_recording-{number + 1}")
    folder = folder / "emg"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{stem}_emg.edf"
    write_edf(recording, group, data)
    segments = recording.segments_of(group[0].name)
    names = [name for channel in group for name in channel.columns]
    sidecar = {
        "TaskName": _TASK,
        "SamplingFrequency": group[0].fs,
        "PowerLineFrequency": "n/a",
        "EMGReference": "n/a",
        "EMGPlacementScheme": "Other",
        "EMGPlacementSchemeDescription": "on a leg; not recorded in more detail",
        "SoftwareFilters": "n/a",
        "EMGChannelCount": len(names),
        "RecordingType": "continuous" if len(segments) == 1 else "discontinuous",
        "RecordingDuration": sum(len(s.samples) for s in segments) / group[0].fs,
    }
    rows = [[name, "EMG", "uV"] for name in names]
    return [
        data,
        _write_json(folder / f"{stem}_emg.json", sidecar),
        write_tsv(folder / f"{stem}_channels.tsv", ["name", "type", "units"], rows),
    ]


def _write_motion(
    recording: Recording, group: Sequence[Channel], folder: Path, number: int | None
) -> list[Path]:
    """Write accelerometers with a common time base; return the files."""
    system = "imu" if number is None else f"imu{number + 1}"
    stem = f"{_SUBJECT}_task-{_TASK}_tracksys-{system}"
    folder = folder / "motion"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{stem}_motion.tsv"
    count = 0
    with data.open("w", encoding="utf-8", newline="") as file:
        for table in _motion_tables(recording, group):
            table.to_csv(file, sep="\t", header=False, index=False, float_format="%.9g")
            count += len(table)
    names = [name for channel in group for name in channel.columns]
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
        ["latency", "n/a", "LATENCY", "n/a", "s"],
        *(
            [name, name.rsplit("_", 2)[-2], "ACCEL", point, "m/s^2"]
            for name, point in zip(names, points, strict=True)
        ),
    ]
    return [
        data,
        _write_json(folder / f"{stem}_motion.json", sidecar),
        write_tsv(folder / f"{stem}_channels.tsv", header, rows),
    ]


def _motion_tables(recording: Recording, group: Sequence[Channel]) -> Iterator[pd.DataFrame]:
    """Yield latency (s) and acceleration (m/s²) in blocks of rows."""
    import pandas as pd

    fs = group[0].fs
    columns = [recording.segments_of(c.name) for c in group]
    for segments in zip(*columns, strict=True):
        begin_s = (segments[0].start_ns - recording.start_ns) / NS
        for start in range(0, len(segments[0].samples), _BLOCK_ROWS):
            blocks = [
                s.samples.read(start, start + _BLOCK_ROWS).astype(np.float64) for s in segments
            ]
            latency = begin_s + np.arange(start, start + len(blocks[0])) / fs
            yield pd.DataFrame(
                np.column_stack([np.round(latency, 6), *(b * STANDARD_GRAVITY for b in blocks)])
            )


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
