"""Cells of CSV captures: what is not a number is a gap of one cell, and no number is misread."""

from __future__ import annotations

import numpy as np
import pytest

from tests.io.builders import content, emg, lengths
from twitchsense.errors import InputError
from twitchsense.io import read

N = 1500
X = emg(N)
Z = np.round(1 + emg(N, 3) / 2000, 3)


def table(emg_cells, acc_cells=None, sep=",", header="time_s,emg1_uv,acc_z_g", decimal="."):
    """Return a capture at 500 Hz of cells that are already text."""
    acc_cells = [f"{z:.3f}".replace(".", decimal) for z in Z] if acc_cells is None else acc_cells
    rows = [
        sep.join([f"{i / 500:.3f}".replace(".", decimal), a, b])
        for i, (a, b) in enumerate(zip(emg_cells, acc_cells, strict=True))
    ]
    return "\n".join([header.replace(",", sep), *rows]) + "\n"


def recording(tmp_path, text, name="night.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read(path)


@pytest.mark.parametrize(
    "word", ["-1.#IND", "1.#QNAN", "1.#INF", "#DIV/0!", "#N/A", "#WERT!", "off", "--", "1.5 uV"]
)
def test_a_word_of_a_program_for_no_number_is_a_gap_of_that_cell(tmp_path, word):
    cells = [f"{x:.1f}" for x in X]
    cells[700:705] = [word] * 5
    got = recording(tmp_path, table(cells))
    assert lengths(got, "emg1") == [700, N - 705]
    assert lengths(got, "acc") == [N]  # other cells of the row are kept
    np.testing.assert_array_equal(content(got)["emg1"][0][1][:, 0], X[:700].astype(np.float32))


@pytest.mark.parametrize("word", ["#N/A", "#DIV/0!", "#VALUE!", "#NV"])
def test_such_a_word_may_stand_in_the_first_column(tmp_path, word):
    rows = [f"{x:.1f},{i / 500:.3f}" for i, x in enumerate(X)]
    rows[40] = f"{word},0.080"
    rows.insert(20, "# a comment, with a comma")
    got = recording(tmp_path, "\n".join(["emg1_uv,time_s", *rows]) + "\n")
    assert lengths(got, "emg1") == [40, N - 41]


def test_a_whole_axis_without_numbers_is_a_gap_of_the_accelerometer(tmp_path):
    rows = [f"{i / 50:.2f},0.01,-0.02,{Z[i]:.3f}" for i in range(N)]
    rows[500:1000] = [f"{i / 50:.2f},0.01,-0.02,1.#QNAN" for i in range(500, 1000)]
    got = recording(tmp_path, "\n".join(["time_s,acc_x_g,acc_y_g,acc_z_g", *rows]) + "\n")
    assert lengths(got, "acc") == [500, 500]
    assert "acc: 1 gap, 10.000 s in all, longest 10.000 s" in got.notes


@pytest.mark.parametrize("sep", [";", "\t"])
@pytest.mark.parametrize("row", [0, 750, N - 1])
def test_one_text_cell_in_a_file_with_decimal_commas_loses_no_other_cell(tmp_path, sep, row):
    cells = [f"{x:.1f}".replace(".", ",") for x in X]
    cells[row] = "off"
    got = recording(tmp_path, table(cells, sep=sep, decimal=","))
    assert sum(lengths(got, "emg1")) == N - 1
    assert got.channels[0].fs == 500
    assert any("1 cell is not a number: a gap (first 'off', line" in note for note in got.notes)


def test_whole_numbers_between_decimal_commas_are_read(tmp_path):
    cells = [f"{x:.0f}" if i % 2 else f"{x:.2f}".replace(".", ",") for i, x in enumerate(X)]
    cells[750] = "off"
    got = recording(tmp_path, table(cells, sep=";", decimal=","))
    assert sum(lengths(got, "emg1")) == N - 1
    assert got.channels[0].fs == 500


@pytest.mark.slow  # more than one block of rows
def test_a_text_cell_far_behind_loses_no_block(tmp_path):
    n = 150_000
    rows = [f"{i / 1000:.3f};{i % 7},5".replace(".", ",") for i in range(n)]
    rows[5] = rows[5].partition(";")[0] + ";off"
    rows[140_000] = rows[140_000].partition(";")[0] + ";1.#IND"
    got = recording(tmp_path, "\n".join(["time_s;emg1_uv", *rows]) + "\n")
    assert lengths(got, "emg1") == [5, 139_994, 9_999]


def with_thousands(form):
    """Return a burst of 2389 uV in noise; values from 1000 on as `form` writes them."""
    values = X.copy()
    values[600:640] = np.linspace(-2389.25, 2389.25, 40).round(2)
    return values, [form(v) if abs(v) >= 1000 else f"{v:.2f}" for v in values]


@pytest.mark.parametrize(
    "form",
    [
        lambda v: f'"{v:,.2f}"',
        lambda v: f"{v:,.2f}".replace(",", "'"),
        lambda v: f"{v:,.2f}".replace(",", "\u2019"),
        lambda v: f"{v:,.2f}".replace(",", "\u202f"),
        lambda v: f"{v:,.2f}".replace(",", "\u00a0"),
        lambda v: f"{v:,.2f}".replace(",", " "),
        lambda v: f"{v:.2f}".replace("-", "\u2212"),
    ],
)
def test_thousands_separators_are_read(tmp_path, form):
    values, cells = with_thousands(form)
    got = recording(tmp_path, table(cells))
    [(start, samples)] = content(got)["emg1"]
    np.testing.assert_array_equal(samples[:, 0], values.astype(np.float32))


def test_thousands_points_before_decimal_commas_are_read(tmp_path):
    def german(text):
        return text.replace(",", "x").replace(".", ",").replace("x", ".")

    values, cells = with_thousands(lambda v: f"{v:,.2f}")
    got = recording(tmp_path, table([german(c) for c in cells], sep=";", decimal=","))
    [(_, samples)] = content(got)["emg1"]
    np.testing.assert_array_equal(samples[:, 0], values.astype(np.float32))


@pytest.mark.parametrize(
    ("form", "sep"), [(lambda v: f'"{v:,}"', ","), (lambda v: f"{v:,}".replace(",", "."), ";")]
)
def test_numbers_with_two_readings_are_refused_with_their_line(tmp_path, form, sep):
    cells = [form(round(v * 100)) if abs(v) >= 10 else f"{v:.0f}" for v in X]
    first = next(i for i, c in enumerate(cells) if "," in c or "." in c)
    with pytest.raises(InputError, match=f"line {first + 2}: emg1_uv .* may be .* or ") as caught:
        recording(tmp_path, table(cells, sep=sep))
    assert "without thousands separators" in caught.value.cure
    # the cure works
    plain = [c.replace('"', "").replace(",", "").replace(".", "") for c in cells]
    got = recording(tmp_path, table(plain, sep=sep))
    assert lengths(got, "emg1") == [N]


@pytest.mark.parametrize("offset", [5, 700])
def test_three_decimals_are_no_thousands(tmp_path, offset):
    rows = [f"{offset + i / 500:.3f};{9 + abs(x) / 100:.3f}" for i, x in enumerate(X)]
    got = recording(tmp_path, "\n".join(["time_s;acc_z_ms2", *rows]) + "\n")
    assert lengths(got, "acc") == [N]


@pytest.mark.parametrize("word", ["599621e4008006461538462", "1E+99999999999", "2e-123456789012"])
def test_an_exponent_beyond_all_numbers_is_a_gap_and_no_crash(tmp_path, word):
    cells = [f"{x:.1f}" for x in X]
    cells[900] = word
    assert lengths(recording(tmp_path, table(cells)), "emg1") == [900, N - 901]


def test_two_decimal_signs_in_one_column_are_refused(tmp_path):
    cells = [f"{x:.1f}" for x in X]
    cells[900] = "3,5"
    with pytest.raises(InputError, match="line 902: emg1_uv '3,5' has another decimal sign"):
        recording(tmp_path, table(cells, sep=";"))
