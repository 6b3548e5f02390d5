"""Noraxon: CSV files of MR3 and myoRESEARCH, with units in the names of the columns."""

from __future__ import annotations

import re
from typing import Final

from twitchsense.io.tables.header_words import (
    channel_name,
    find_leg,
    read_unit,
    unique_names,
)
from twitchsense.io.tables.transfer import Transfer
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import FileHead, find_row, guess_separator, split_fields

_TIME: Final = re.compile(
    r"^(?:time|zeit|temps|tiempo|tempo)\s*[,(\[]\s*(ms|s)\s*[)\]]?$", re.IGNORECASE
)
_EMG: Final = re.compile(
    r"^(?P<label>.+?)\s*(?:,\s*|[(\[])(?P<unit>uV|\u00b5V|\u03bcV|mV|V)[)\]]?$", re.IGNORECASE
)
_ACC: Final = re.compile(
    r"^(?P<label>.*?)\bA(?:ccel\w*)?[\s.]*(?P<axis>[xyz])\s*(?:,\s*|[(\[])(?P<unit>mG|G|m/s\^?2)[)\]]?$",
    re.IGNORECASE,
)


def noraxon_text(head: FileHead) -> CsvDialect | None:
    """Recognise a CSV file of a Noraxon program."""
    mark = find_row(head.lines[:40], r"noraxon|ultium|myomuscle|myoresearch|\bMR3\b")
    for line in head.lines[:40]:
        separator = guess_separator(line.text)
        names = split_fields(line.text, separator) if separator else []
        time = next((i for i, name in enumerate(names) if _TIME.match(name)), None)
        # a label for the side of the body, as these programs write it, is a mark as well
        sided = any(re.search(r"\b(?:RT|LT)\s*[,(]", n) and _EMG.match(n) for n in names)
        if separator is None or time is None or not (mark or sided):
            continue
        headers = unique_names(names)
        match = _TIME.match(names[time])
        ours = {headers[time]: f"time_{match[1].casefold()}" if match else "time_s"}
        transfers: dict[str, Transfer] = {}
        accelerometers: dict[str, str] = {}
        for name, header in zip(names, headers, strict=True):
            emg, acc = _EMG.match(name), _ACC.match(name)
            found = acc or emg
            unit = read_unit(found["unit"]) if found else None
            if found is None or unit is None:
                continue
            leg = find_leg(found["label"])
            if acc:
                stem = accelerometers.setdefault(
                    acc["label"],
                    channel_name(f"acc{len(accelerometers) + 1}" if accelerometers else "acc", leg),
                )
                ours[header] = f"{stem}_{acc['axis'].casefold()}_{unit[1]}"
            else:
                number = sum(o.startswith("emg") for o in ours.values()) + 1
                ours[header] = channel_name(f"emg{number}", leg, unit[1])
            if unit[2]:
                transfers[header] = unit[2]
        if len(ours) > 1:
            return CsvDialect(
                headers, line.number, line.end, separator, "Noraxon", ours, transfers=transfers
            )
    return None
