"""The definitions page names only settings that exist, and gives their defaults."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.settings.case import setting_keys, value_of
from twitchsense.detect.candidates.burst_measures import RISEN_SHARE
from twitchsense.detect.rules.burst_grouping import TRAIN_NS
from twitchsense.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "definitions.md").read_text("utf-8")
KEYS = list(setting_keys())
GROUPS = {key.split(".")[0] for key in KEYS if "." in key}
#: Settings of files and persons, which define no movement.
NO_DEFINITION = {"legs", "columns", "zone", "stages"}
#: What stands in the column of the setting, besides settings: no setting changes the value.
NO_SETTING = {"fixed", "–", ""}
#: Defaults that the page writes otherwise than in digits.
IN_WORDS = {"emg.noise_p": "10⁻⁹", "emg.floor_quantile": "lower quartile"}
#: Settings whose default stands in the text around the table.
IN_TEXT = {
    "context.drowsy_min": "`drowsy` is the 5 min before sleep",
    "context.onset_min": "`sleep_onset` the 10 min after it",
    "context.still_deg": "orientation within 5° for at least 5 min",
    "context.still_min": "orientation within 5° for at least 5 min",
    "context.quiet_g": "activity below 15 mg",
    "context.mask_s": "masked with 1 s to either side",
}


def names_on(text):
    """Return the settings named in a text, such as `twitch.min_uv` or `trains.alma_*`."""
    return re.findall(rf"`((?:{'|'.join(GROUPS)})\.[a-z_*]+)`", text)


def table_rows():
    """Yield the cells of each row of a table, by the name of the column, and the row."""
    columns = None
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            columns = None
        elif columns is None:
            columns = ["setting" if cell == "settings" else cell for cell in cells]
        elif not set(line) <= set("|-: "):
            yield dict(zip(columns, cells, strict=True)), line


def rows_with_setting():
    """Yield the value of the column ``setting`` and the row, for the tables that have it."""
    yield from ((cells["setting"], line) for cells, line in table_rows() if "setting" in cells)


def keys_named(text):
    """Return the keys of the settings named in a text; ``trains.alma_*`` are several."""
    return [key for key in KEYS if any(fnmatchcase(key, name) for name in names_on(text))]


def is_marked_provisional(key):
    """Return whether [E] stands in the description of a setting or of its group."""
    group, _, name = key.partition(".")
    model = type(getattr(Settings(), group))
    return "[E]" in f"{model.model_fields[name].description} {model.__doc__}"


def numbers(key):
    """Return the default of a setting as a list of numbers; empty for words and switches."""
    default = value_of(Settings(), key)
    values = default if isinstance(default, tuple) else (default,)
    return [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]


def spellings(number):
    """Return a number in its unit, in thousandths and thousands of it, and in percent."""
    values = (number, 1000 * number, number / 1000, 100 * number)
    return {f"{value:.6g}" for value in values} | {f"{number:.1f}", f"{number:.2f}"}


def test_every_setting_named_exists():
    assert names_on(PAGE)
    assert [n for n in names_on(PAGE) if not any(fnmatchcase(key, n) for key in KEYS)] == []
    assert set(re.findall(r"settings `\[(\w+)\]`", PAGE)) <= GROUPS


def test_every_setting_that_defines_a_movement_is_named():
    assert set(KEYS) - set(keys_named(PAGE)) == NO_DEFINITION


def test_provisional_on_the_page_and_e_in_the_settings_agree():
    rows = [(keys_named(cells["setting"]), cells["status"]) for cells, _ in table_rows()
            if {"setting", "status"} <= set(cells)]  # fmt: skip
    marked = [(key, status) for keys, status in rows for key in keys if is_marked_provisional(key)]
    assert [m for m in marked if "provisional" not in m[1]] == []
    provisional = [key for keys, status in rows for key in keys if status.startswith("provisional")]
    assert len(provisional) > 40
    assert [key for key in provisional if not is_marked_provisional(key)] == []


def test_every_row_names_a_setting_or_says_that_there_is_none():
    rows = list(rows_with_setting())
    assert len(rows) > 60
    assert [r for cell, r in rows if not names_on(cell) and cell not in NO_SETTING] == []


def test_every_row_gives_the_default_of_its_setting():
    for cell, line in rows_with_setting():
        for key in set(names_on(cell)) & set(KEYS) - set(IN_TEXT):
            for number in numbers(key):
                words = {IN_WORDS[key]} if key in IN_WORDS else spellings(number)
                patterns = [rf"(?<![\d.]){re.escape(word)}(?!\d|\.\d)" for word in words]
                assert any(re.search(p, line) for p in patterns), (key, number, line)


@pytest.mark.parametrize(("key", "text"), IN_TEXT.items())
def test_the_text_gives_the_default(key, text):
    (default,) = numbers(key)
    assert text in PAGE.replace("\n", " ")
    assert spellings(default) & set(re.findall(r"[\d.]+", text))


def test_the_rise_of_a_jerk_ends_at_the_share_of_the_peak_that_the_code_measures():
    assert f"| EMG onset to {100 * RISEN_SHARE:g} % of the peak of the" in PAGE


def test_the_pause_between_bursts_of_one_jerk_is_that_of_the_code():
    assert f"| pause between two bursts of one jerk | < {TRAIN_NS / 1e9:g} s |" in PAGE
