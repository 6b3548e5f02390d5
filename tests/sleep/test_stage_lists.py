"""Lists of stages with holes, epoch numbers, changes of stage, and lists that do not fit."""

from __future__ import annotations

import pytest

from tests.sleep.builders import refusal, write_text
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram

#: 20 min, of which 5 min in the middle are not scored.
WHOLE = ["W"] * 10 + [""] * 10 + ["N1"] * 10 + ["N2"] * 10
CLOCK = NightClock(0, 20 * 60_000_000)


def stages_at(hypnogram, *minutes):
    return hypnogram.stage_at([60 * m + 1 for m in minutes]).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(WHOLE) + "\n",  # blank lines
        "stage\n" + "".join(f"{w or chr(34) * 2}\n" for w in WHOLE),  # pandas, one column
        "\n".join(w or "nan" for w in WHOLE),
        "\n".join(w or "n/a" for w in WHOLE) + "\n\n\n",
        "Stage\r\n" + "\r\n".join(WHOLE) + "\r\n",
        '"Stage"\n' + "".join(f'"{w}"\n' for w in WHOLE),
        "Epoch,Stage\n" + "".join(f"{k},{w}\n" for k, w in enumerate(WHOLE)),
        "Epoch,Stage\n" + "".join(f"{k},{w}\n" for k, w in enumerate(WHOLE) if w),
        "epoch\tstage\n" + "".join(f"{k + 1}\t{w}\n" for k, w in enumerate(WHOLE) if w),
        ",stage\n" + "".join(f"{k},{w}\n" for k, w in enumerate(WHOLE) if w),  # pandas index
        "No.,Stage,Note\n" + "".join(f"{k + 1},{w},x\n" for k, w in enumerate(WHOLE) if w),
        "onset,stage\n" + "".join(f"{30 * k},{w}\n" for k, w in enumerate(WHOLE) if w),
    ],
)
def test_a_hole_in_a_list_is_unscored_and_moves_nothing(tmp_path, text):
    got = read_hypnogram(write_text(tmp_path, text), CLOCK)
    assert stages_at(got, 0, 4.9, 5, 9.9, 10, 14.9, 15, 19.9) == [
        "W", "W", "", "", "N1", "N1", "N2", "N2",
    ]  # fmt: skip


def test_numbered_codes_keep_their_holes(tmp_path):
    rows = "".join(f"{k},{k % 2}\n" for k in (0, 1, 2, 12, 13))
    got = read_hypnogram(write_text(tmp_path, "Epoch,Stage\n" + rows), codes={"0": "W", "1": "N1"})
    assert got.onset_s.tolist() == [0, 30, 60, 360, 390]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ([5, 6, 7], "begins with epoch 5, and the first may be epoch 0 or 1"),
        ([0, 1, 1], "line 4: epoch 1 does not follow the epoch above"),
        ([1, 3, 2], "line 4: epoch 2 does not follow the epoch above"),
        ([0, 1, 2.5], "line 4: epoch 2.5 does not follow the epoch above"),
    ],
)
def test_epoch_numbers_that_give_no_place_are_refused(tmp_path, numbers, says):
    rows = "".join(f"{n},N2\n" for n in numbers)
    assert says in refusal(write_text(tmp_path, "Epoch,Stage\n" + rows))


def test_the_cure_for_a_late_first_epoch_works(tmp_path):
    got = read_hypnogram(write_text(tmp_path, "Epoch,Stage\n1,?\n5,N2\n6,N2\n"))
    assert got.onset_s.tolist() == [0, 120, 150]


def test_a_list_of_changes_lasts_until_the_next_row(tmp_path):
    rows = [(0, "W"), (600, "N1"), (900, "N2"), (1800, "W")]
    text = "time,stage\n" + "".join(f"{t},{s}\n" for t, s in rows)
    got = read_hypnogram(write_text(tmp_path, text))
    assert got.duration_s.tolist() == [600, 300, 900, 30]
    assert "each stage is taken to last until the next row" in got.notes[0]


def test_a_long_list_of_changes_may_have_changes_after_one_epoch(tmp_path):
    steps = [30, 90, 30, 600, 30, 60, 900, 30, 120, 60, 300, 90]
    onset = [sum(steps[:k]) for k in range(len(steps))]
    text = "onset,stage\n" + "".join(
        f"{t},{'N1' if k % 2 else 'N2'}\n" for k, t in enumerate(onset)
    )
    assert read_hypnogram(write_text(tmp_path, text)).duration_s.tolist() == [*steps[:-1], 30]


def test_a_short_list_of_two_meanings_asks_for_durations(tmp_path):
    rows = [(0, "W"), (30, "N1"), (90, "N2"), (180, "R")]
    text = "onset,stage\n" + "".join(f"{t},{s}\n" for t, s in rows)
    said = refusal(write_text(tmp_path, text))
    assert "a stage may last one step or until the next row; give the column duration" in said
    cured = "onset,duration,stage\n" + "".join(f"{t},30,{s}\n" for t, s in rows)
    assert read_hypnogram(write_text(tmp_path, cured)).onset_s.tolist() == [0, 30, 90, 180]


@pytest.mark.parametrize(
    ("count", "minutes", "says"),
    [
        (80, 20, "40.0 min as 30-s epochs, where the recording has 20.0 min"),
        (60, 20, "(epochs of 20 s would fill it)"),
        (20, 20, "(epochs of 60 s would fill it)"),
        (1200, 20, "(epochs of 1 s would fill it)"),
    ],
)
def test_a_list_that_cannot_fit_the_recording_is_refused(tmp_path, count, minutes, says):
    words = ["W", "N2"] * (count // 2)
    path = write_text(tmp_path, "\n".join(words), "hypno.txt")
    said = refusal(path, NightClock(0, minutes * 60_000_000))
    assert f"has {count} epochs without times" in said
    assert says in said
    assert "give the columns onset and duration (s) beside the stages" in said
    step = minutes * 60 / count if "fill" in says else 30
    cured = "onset,duration,stage\n" + "".join(
        f"{k * step:g},{step:g},{w}\n" for k, w in enumerate(words)
    )
    read_hypnogram(write_text(tmp_path, cured), NightClock(0, minutes * 60_000_000))


def test_a_list_may_be_shorter_or_two_epochs_longer(tmp_path):
    for count in (30, 39, 40, 42):
        path = write_text(tmp_path, "N2\n" * count, "hypno.txt")
        assert len(read_hypnogram(path, CLOCK)) == count


@pytest.mark.parametrize("onset", [-4000, 1200, 90_000])
def test_stages_outside_the_recording_are_refused(tmp_path, onset):
    path = write_text(tmp_path, f"onset,duration,stage\n{onset},30,W\n{onset + 30},30,N1\n")
    assert "lies outside the recording" in refusal(path, CLOCK)
    assert len(read_hypnogram(path)) == 2  # without a recording there is nothing to compare


def test_a_number_beside_a_stage_needs_a_header(tmp_path):
    rows = "Wake\t300\nN1\t420\nN2\t1500\n"
    said = refusal(write_text(tmp_path, rows))
    assert "line 1: has no header: the number beside a stage may be its end (Visbrain)" in said
    assert "put a line with stage and end (or onset, or duration) on top, with a tab" in said
    ends = read_hypnogram(write_text(tmp_path, "stage\tend\n" + rows))
    assert ends.onset_s.tolist() == [0, 300, 420]
    assert ends.duration_s.tolist() == [300, 120, 1080]
    lengths = read_hypnogram(write_text(tmp_path, "stage\tduration\n" + rows))
    assert lengths.onset_s.tolist() == [0, 300, 720]
    starts = read_hypnogram(write_text(tmp_path, "stage\tonset\n" + rows))
    assert starts.onset_s.tolist() == [300, 420, 1500]
    comma = write_text(tmp_path, rows.replace("\t", ","))
    assert "with a comma between" in refusal(comma)
    blank = write_text(tmp_path, rows.replace("\t", " "))
    assert "write it with commas and the line stage,end" in refusal(blank)
