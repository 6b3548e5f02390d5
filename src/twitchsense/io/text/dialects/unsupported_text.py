"""Text files of known programs that are not read as they are, each with its cure."""

from __future__ import annotations

import re
from typing import Final

from twitchsense.errors import InputError
from twitchsense.io.channels.signal_labels import parse_leg_label
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import FileHead, guess_separator, split_fields, to_number
from twitchsense.io.unsupported_formats import TO_HYPNOGRAM

#: First lines of files of sleep stages and events.
_ANNOTATIONS: Final = re.compile(
    r"RemLogic Event|Signal ID:|\*Duration_sec|class\s+instance\s|class\s+(?:channel|start)\s"
)
#: Column names of such files.
_STAGE_COLUMNS: Final = frozenset(
    ("stage", "sleep_stage", "sleepstage", "hypnogram", "trial_type", "sleep_phase_5_min",
     "sleep_phase_30_sec", "sleep_stage_type", "schlafstadium", "stade")
)  # fmt: skip
#: Rows of a list of stages.
_STAGE: Final = re.compile(r"w|wake|n?[0-4]|n[1-3]|s[0-4]|r|rem|sleep stage \w+", re.IGNORECASE)


def unsupported_text(head: FileHead) -> CsvDialect | None:
    """Refuse a text file of LabChart, AcqKnowledge, Spike2, OpenBCI's SD card or of stages."""
    texts = [line.text.strip() for line in head.lines[:60]]
    first = texts[0] if texts else ""
    if first.startswith("Interval=") and any(t.startswith("ChannelTitle=") for t in texts):
        raise _labchart(head, texts)
    if len(texts) > 1 and re.fullmatch(r"[\d.,]+ (?:msec|sec)/sample", texts[1]):
        raise _acqknowledge(head, texts)
    if first.strip('"') == "INFORMATION" and '"SUMMARY"' in texts:
        problem = "this is a Spike2 text export of separate blocks"
        raise InputError(head.source, problem, "export it as spreadsheet text in Spike2", "line 1")
    if re.match(r"%(?:STOP|START)", first):
        problem = "this is a file of OpenBCI's SD card, of hexadecimal counts"
        raise InputError(
            head.source,
            problem,
            "convert it in the OpenBCI GUI (Convert SD for Playback)",
            "line 1",
        )
    if _is_annotations(texts):
        problem = "this is a file of sleep stages or events, not a recording"
        raise InputError(head.source, problem, TO_HYPNOGRAM, "line 1")
    return None


def _is_annotations(texts: list[str]) -> bool:
    rows = [text for text in texts if text]
    if not rows:
        return False
    if _ANNOTATIONS.match(rows[0]) or (len(rows) > 5 and all(map(_STAGE.fullmatch, rows))):
        return True
    names = {cell.strip('"').casefold() for cell in re.split(r"[,;\t]", rows[0])}
    signals = any("emg" in name or "acc" in name for name in names)
    return not signals and bool(names & _STAGE_COLUMNS) and len(names) > 1


def _labchart(head: FileHead, texts: list[str]) -> InputError:
    """Return the error of a LabChart text file, with the options that read it."""
    rows = {t.partition("=")[0]: t.split("\t")[1:] for t in texts if "=" in t}
    count = max(k for k, t in enumerate(texts, 1) if "=" in t)
    units = [text.rpartition(" ")[2] for text in rows.get("Range", [])]
    names = _names(rows["ChannelTitle"], units)
    return InputError(
        head.source,
        "this is a LabChart text file",
        f"read it with --skip-rows {count} --columns {','.join(['time_s', *names])}",
        "line 1",
    )


def _acqknowledge(head: FileHead, texts: list[str]) -> InputError:
    """Return the error of an AcqKnowledge text file, with the options that read it."""
    number, unit = texts[1].split(" ")
    step_s = to_number(number) / (1000 if unit.startswith("msec") else 1)
    rate = f" --fs {1 / step_s:.6g}" if step_s > 0 else ""
    channels = int(re.sub(r"\D", "", texts[2])[:4] or 0) if len(texts) > 2 else 0
    labels, units = texts[3 : 3 + 2 * channels : 2], texts[4 : 4 + 2 * channels : 2]
    rows = head.lines[3 + 2 * channels :]
    timed = bool(rows) and rows[0].text.strip().lower().startswith(("min", "sec"))
    count = 3 + 2 * channels + 2
    names = ["ignore"] * timed + _names(labels, units)
    row = next((line.text for line in rows[2:] if line.text.strip()), "")
    width = len(split_fields(row, guess_separator(row) or " "))
    names += ["ignore"] * (width - len(names))
    return InputError(
        head.source,
        "this is an AcqKnowledge text file",
        f"read it with --skip-rows {count} --columns {','.join(names)}{rate}",
        "line 1",
    )


def _names(labels: list[str], units: list[str]) -> list[str]:
    """Return names of columns; signals whose label does not say EMG are left out."""
    names: list[str] = []
    for label, unit in zip(labels, units, strict=False):
        leg = parse_leg_label(label)
        clean = unit.casefold().replace("\u00b5", "u").replace("\u03bc", "u")
        if clean in ("uv", "mv", "v") and (leg or "emg" in label.casefold()):
            number = sum(name.startswith("emg") for name in names) + 1
            side = f"_{leg.side}" if leg and leg.side else ""
            names.append(f"emg{number}{side}_{clean}")
        else:
            names.append("ignore")
    return names
