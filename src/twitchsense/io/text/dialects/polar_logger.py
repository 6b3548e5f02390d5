"""Polar Sensor Logger (Android): text files with the clocks of the phone and of the sensor.

The phone's time is that at which a packet arrived; the sensor's is that of the sample, in
nanoseconds of a clock that may have been set to any date. Samples have the spacing of the
sensor's clock and begin at the phone's time.
"""

from __future__ import annotations

import re

import pandas as pd

from twitchsense.errors import InputError
from twitchsense.io.text.csv_dialect import CsvDialect
from twitchsense.io.text.csv_head import FileHead, split_fields


def polar_logger(head: FileHead) -> CsvDialect | None:
    """Recognise a file of Polar Sensor Logger."""
    if not head.lines or not head.lines[0].text.lower().startswith("phone timestamp;"):
        return None
    line = head.lines[0]
    headers = tuple(split_fields(line.text, ";"))
    folded = [h.casefold() for h in headers]
    axes = [f"{axis} [mg]" for axis in "xyz"]
    if not all(axis in folded for axis in axes):
        raise InputError(
            head.source,
            f"this is a Polar file without acceleration ({', '.join(headers[2:])})",
            "give the file of the same recording that ends in _ACC.txt",
            "line 1",
        )
    ours = {headers[folded.index(a)]: f"acc_{a[0]}_mg" for a in axes}
    sensor = next((h for h in headers if h.casefold() == "sensor timestamp [ns]"), None)
    row = next(iter(head.rows(line.end, ";", 1)), [])
    start = None
    if sensor is None:
        ours[headers[0]] = "time_local"
    else:
        ours[sensor] = "time_ns"
        if row and re.match(r"\d{4}-\d\d-\d\dT", row[0]):
            try:
                start = pd.Timestamp(row[0])
            except ValueError:
                start = None
    start_ns = None
    if start is not None:
        utc = start if start.tzinfo is None else start.tz_convert("UTC").tz_localize(None)
        start_ns = int(utc.as_unit("ns").value)
    return CsvDialect(
        headers, 1, line.end, ";", "Polar Sensor Logger", ours, ignored=headers,
        first_time_ns=0 if sensor is not None and start_ns is None else start_ns,
        notes=("the spacing of the samples is that of the sensor's clock, their start the "
               "phone's time of the first packet",) if sensor is not None else (),
    )  # fmt: skip
