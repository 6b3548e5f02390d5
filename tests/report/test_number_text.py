"""Numbers of the report in one format."""

from __future__ import annotations

import pytest

from twitchsense.model.notes import without_folders
from twitchsense.report.number_text import format_interval, format_number, unbroken


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0001, "<0.001"), (0.003, "0.003"), (0.45, "0.45"), (0.96, "1.0"), (9.1, "9.1"),
     (99.96, "100"), (1204.4, "1,204"), (-3.2, "−3.2"), (None, "–"), ("x", "–"), (True, "–"),
     (float("nan"), "–")],
)  # fmt: skip
def test_number_has_about_three_digits(value, text):
    assert format_number(value) == text


def test_interval_follows_the_unit():
    assert format_interval(9.1, 7.07, 11.54, "per h") == "9.1 per h (7.1–11.5)"
    assert format_interval(0.0, 0.0, 0.003, "per h") == "0 per h (0–0.003)"
    assert format_interval(None, None, None, "per h") == "–"


@pytest.mark.parametrize(
    "whole", ["9.1 per h (7.1–11.5)", "24.3 (14.4–38.4)", "95 %", "500 µV", "21.5 g/s", "22:31:40"]
)
def test_quantity_stays_on_one_line(whole):
    assert unbroken(f"<b> {whole} of") == (f'&lt;b&gt; <span class="unbroken">{whole}</span> of')


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("/home/jane doe/a, b/emg.csv: left out: X", "emg.csv: left out: X"),
        ("C:\\Users\\jane\\emg.csv: row 3", "emg.csv: row 3"),
        ("night1/emg.csv: read as /data/x/y.csv", "emg.csv: read as y.csv"),
        ("acc: 9.79 g at rest; are these m/s2?", "acc: 9.79 g at rest; are these m/s2?"),
        ("marked (/tmp/a/b.csv) and/or c", "marked (b.csv) and/or c"),
        ("marker at 22:00: </script> 1/2", "marker at 22:00: </script> 1/2"),
        ("~/nights/a/x.csv is used", "x.csv is used"),
    ],
)
def test_note_has_file_names_without_folders(note, shown):
    assert without_folders(note) == shown
