"""Headers of CSV captures, and which columns decide on the decimal sign."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.io.builders import content, emg
from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.text import dialects

N = 1000
X = emg(N)
VALUES = [f"{x:.1f}" for x in X]
COMMAS = [v.replace(".", ",") for v in VALUES]
TIMES = [f"{i / 500:.3f}" for i in range(N)]
COMMA_TIMES = [t.replace(".", ",") for t in TIMES]
UTC = [f"2026-03-01T22:15:{i // 500:02d}.{i % 500 * 2:03d}Z" for i in range(N)]


def joined(header, *columns, sep=";"):
    return "\n".join([*header, *map(sep.join, zip(*columns, strict=True))]) + "\n"


def check(tmp_path, text, name="night.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    got = read(path)
    [(start, samples)] = content(got)["emg1"]
    assert start == 0
    np.testing.assert_array_equal(samples[:, 0], X.astype(np.float32))
    assert got.channels[0].fs == 500
    return got


@pytest.mark.parametrize("other", ["1.2", "v1.0", "12.5", "10.0.0.1", "2026-03-01", "3.75 V"])
def test_a_column_that_is_not_read_does_not_decide_on_the_decimal_sign(tmp_path, other):
    check(tmp_path, joined(["time_s;emg1_uv;note"], COMMA_TIMES, COMMAS, [other] * N))


@pytest.mark.parametrize("other", ["1,2", "a,b", "10,0"])
def test_a_comma_elsewhere_does_not_decide_either(tmp_path, other):
    check(tmp_path, joined(["time_s;emg1_uv;note"], TIMES, VALUES, [other] * N))


@pytest.mark.parametrize("sep", [";", "\t"])
def test_points_of_clock_times_stand_beside_decimal_commas(tmp_path, sep):
    check(tmp_path, joined([f"time_utc{sep}emg1_uv"], UTC, COMMAS, sep=sep))


def test_times_with_points_stand_beside_decimal_commas(tmp_path):
    check(tmp_path, joined(["time_s;emg1_uv"], TIMES, COMMAS))
    check(tmp_path, joined(["time_s;emg1_uv"], COMMA_TIMES, VALUES))


def test_quoted_decimal_commas_between_commas(tmp_path):
    quoted = [[f'"{c}"' for c in column] for column in (COMMA_TIMES, COMMAS)]
    check(tmp_path, joined(["time_s,emg1_uv"], *quoted, sep=","))


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_a_line_that_names_the_separator_is_no_header(tmp_path, line):
    check(tmp_path, joined([line, "time_s;emg1_uv"], COMMA_TIMES, COMMAS))


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_the_separator_may_be_any_character_that_is_named(tmp_path, sep):
    check(tmp_path, joined([f"sep={sep}", f"time_s{sep}emg1_uv"], TIMES, VALUES, sep=sep))


def test_a_header_of_numpy_savetxt_is_a_comment(tmp_path):
    text = io.StringIO()
    columns = np.column_stack([np.arange(N) / 500, X])
    np.savetxt(text, columns, fmt="%.4f", delimiter=",", header="time_s,emg1_uv")
    check(tmp_path, text.getvalue())


@pytest.mark.parametrize(
    "header",
    [
        ["# made by hand", "#time_s;emg1_uv"],
        ["", "# time_s; emg1_uv ", ""],
        ["#", "time_s;emg1_uv", "# time_s;emg2_uv"],
        ["Device: 12", "Rate;500", "", "time_s;emg1_uv"],
        ["Subject,left leg;x", "time_s;emg1_uv"],
    ],
)
def test_headers_behind_comments_and_other_lines(tmp_path, header):
    check(tmp_path, joined(header, TIMES, VALUES))


def test_a_header_behind_a_number_sign_before_clock_times(tmp_path):
    check(tmp_path, joined(["# time_utc,emg1_uv"], UTC, VALUES, sep=","))


@pytest.mark.parametrize("row", [1, 500, N - 2])
@pytest.mark.parametrize("word", ["x", "0,9s", "n.n."])
def test_a_bad_time_is_refused_with_its_own_line(tmp_path, row, word):
    times = COMMA_TIMES.copy()
    times[row] = word
    path = tmp_path / "night.csv"
    path.write_text(joined(["time_s;emg1_uv"], times, COMMAS))
    with pytest.raises(InputError, match=rf"line {row + 2}: time_s '{word}' is not a number"):
        read(path)


def test_the_line_of_a_bad_time_counts_comments(tmp_path):
    rows = joined(["# one", "sep=;", "time_s;emg1_uv", "# two"], COMMA_TIMES, COMMAS)
    path = tmp_path / "night.csv"
    path.write_text(rows.replace("1,000;", "x;"))
    with pytest.raises(InputError, match="line 505: time_s 'x' is not a number"):
        read(path)


@pytest.mark.parametrize(
    ("date", "form"),
    [
        ("2026-03-01T22:15:{:02d},{:03d}Z", "ISO 8601 with a comma"),
        ("2026-03-01 22:15:{:02d}.{:03d} UTC", "the word UTC"),
        ("01.03.2026 22:15:{:02d},{:03d}", "German"),
        ("03/03/2026 10:15:{:02d}.{:03d} PM", "the same day both ways"),
        ("31/03/2026 22:15:{:02d}.{:03d}", "day first"),
        ("3/31/2026 10:15:{:02d}.{:03d} PM", "month first"),
        ("2026/03/01 22:15:{:02d}.{:03d}", "year first"),
    ],
)
def test_dates_of_other_forms_are_read(tmp_path, date, form):
    times = [date.format(i // 500, i % 500 * 2) for i in range(N)]
    path = tmp_path / "night.csv"
    path.write_text(joined(["Time;emg1_uv"], times, COMMAS))
    got = read(path, zone="UTC")
    day = {"the same day both ways": 3, "day first": 31, "month first": 31}.get(form, 1)
    assert np.datetime64(got.start_utc_ns, "ns") == np.datetime64(f"2026-03-{day:02d}T22:15:00")
    assert got.channels[0].fs == 500


def test_a_date_with_two_readings_is_refused_and_the_cure_works(tmp_path):
    path = tmp_path / "night.csv"
    path.write_text(
        joined(
            ["Time;emg1_uv"], [u.replace("2026-03-01T", "03/01/2026 ")[:-1] for u in UTC], VALUES
        )
    )
    with pytest.raises(InputError, match=r"line 2: Time '03/01/2026 22:15:00\.000' has two"):
        read(path)
    path.write_text(path.read_text().replace("03/01/2026", "2026-03-01"))
    assert read(path).channels[0].fs == 500


def test_seconds_since_1904_are_not_unix_time(tmp_path):
    path = tmp_path / "night.csv"
    times = [f"{3_855_248_100 + i / 500:.3f}" for i in range(N)]
    path.write_text(joined(["Time;emg1_uv"], times, VALUES))
    with pytest.raises(InputError, match="Unix time, or not in seconds"):
        read(path)


@pytest.mark.parametrize(
    "form", ["31.03.2026 22:15:{:02d},{:03d}", "03/31/2026 22:15:{:02d}.{:03d}"]
)
def test_an_irregular_row_behind_the_first_block_keeps_the_order_of_the_dates(
    tmp_path, monkeypatch, form
):
    from twitchsense.io.text.csv import CsvTable

    times = [form.format(i // 500, i % 500 * 2) for i in range(N)]
    times[700] = times[700].replace(":01", ":1")
    path = tmp_path / "night.csv"
    path.write_text(joined(["Time;emg1_uv"], times, COMMAS))
    blocks = CsvTable.blocks
    monkeypatch.setattr(CsvTable, "blocks", lambda self, n=0: blocks(self, 300))
    with pytest.raises(InputError, match="line 702"):
        read(path)
    path.write_text(
        joined(
            ["Time;emg1_uv"], [*times[:700], "", *times[701:]], [*COMMAS[:700], "", *COMMAS[701:]]
        )
    )
    assert [len(x) for _, x in content(read(path))["emg1"]] == [700, N - 701]


def test_a_first_line_of_words_is_left_out_with_the_option_that_the_error_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "MyLogger 1.2\nt;emg;battery\n" + "".join(f"{k};{k % 7};97\n" for k in range(9))
    )
    with pytest.raises(InputError, match=r"no comma, .*skip_rows=1"):
        read(path)
    got = read(path, skip_rows=1, columns={"t": "time_ms", "emg": "emg1_uv"})
    assert got.channels[0].fs == 1000


def test_a_dialect_that_expects_more_lines_than_the_file_has_did_not_recognise_it(
    tmp_path, monkeypatch, caplog
):
    def needs_lines(head):
        return head.lines[9]

    monkeypatch.setattr(dialects, "DIALECTS", (needs_lines, *dialects.DIALECTS))
    path = tmp_path / "a.csv"
    path.write_text("time_s,emg1_uv\n" + "".join(f"{k / 1000},{k % 5}\n" for k in range(5)))
    assert read(path).channels[0].fs == 1000
    assert "a.csv: not read as needs_lines" in caplog.text


def test_the_cure_of_an_unknown_header_keeps_the_units_of_its_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Stamp_ms;TA_L_EMG_mV;battery\n0;1;9\n1;2;9\n2;3;9\n")
    with pytest.raises(InputError) as caught:
        read(path)
    assert "--map 'Stamp_ms=time_ms'" in caught.value.cure
    with pytest.raises(InputError) as caught:
        read(path, columns={"Stamp_ms": "time_ms"})
    assert "--map 'TA_L_EMG_mV=emg1_uv' if it is EMG in uV" in caught.value.cure
