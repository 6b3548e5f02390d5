"""Damaged hypnogram files, and hypnograms that cover a part of the recording."""

from __future__ import annotations

import numpy as np

from tests.sleep.builders import (
    ACC,
    APPLE_NIGHT,
    FITBIT_STAGES,
    acc_seconds,
    apple_file,
    detections,
    edf_file,
    fitbit_log,
    night_clock,
    recording,
    write_text,
)
from twitchsense.errors import InputError
from twitchsense.settings import Settings
from twitchsense.sleep.context import NOTE_ELSEWHERE, find_context
from twitchsense.sleep.hypnogram.read import read_hypnogram


def test_mutated_files_are_read_or_refused_in_one_line(tmp_path):
    """600 damaged files of all kinds: nothing but a hypnogram or one clear error."""
    whole = {
        "apple": apple_file(tmp_path, *APPLE_NIGHT).read_bytes(),
        "fitbit": fitbit_log(
            *FITBIT_STAGES, short=[("2026-03-01T23:30:00.000", "wake", 60)]
        ).encode(),
        "edf": edf_file(
            tmp_path, [(0, 30, "Sleep stage W"), (30, 30, "Sleep stage N2")]
        ).read_bytes(),
        "csv": b"onset,duration,stage\n0,30,W\n30,30,N1\n60,30,N2\n",
        "clock": b"start,end,stage\n23:30:00,23:59:00,W\n23:59:00,00:10:00,N1\n",
        "list": b"WAKE\nN1\nN2\nREM\n",
    }
    rng = np.random.default_rng(7)
    path, when = tmp_path / "x", night_clock("2026-03-01T22:30:00+01:00")
    read, said = 0, []
    for k in range(600):
        data = bytearray(whole[list(whole)[k % len(whole)]])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(len(data) + 1))
            if rng.random() < 0.5:
                data[at : at + int(rng.integers(1, 20))] = b""
            else:
                data[at : at + int(rng.integers(2))] = rng.bytes(int(rng.integers(1, 5)))
        path.write_bytes(data)
        try:
            got = read_hypnogram(path, when)
        except InputError as error:
            said.append(str(error))
        else:
            read += 1
            assert (np.diff(got.onset_s) > 0).all()
    assert not any("\n" in message for message in said)
    assert 10 < read < 500


def night(hours: float, got):
    acc = acc_seconds(round(hours * 3600))
    return find_context(recording(ACC, seconds=hours * 3600), detections(acc=acc), Settings(), got)


def test_a_hypnogram_that_ends_early_is_reported_and_later_context_is_unknown(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 20 else 'N2'}\n" for k in range(120)
    )
    context = night(2.0, read_hypnogram(write_text(tmp_path, text)))
    assert any("covers 60.0 of 120.0 min" in note for note in context.notes)
    assert context.at([3599.0, 3601.0]).tolist() == ["asleep", "unknown"]
    whole = night(1.0, read_hypnogram(write_text(tmp_path, text)))
    assert not any("covers" in note for note in whole.notes)


def test_a_half_hour_nap_is_covered_by_its_hypnogram(tmp_path):
    text = "onset,duration,stage\n" + "".join(
        f"{30 * k},30,{'W' if k < 12 else 'N1' if k < 20 else 'N2'}\n" for k in range(60)
    )
    context = night(0.5, read_hypnogram(write_text(tmp_path, text)))
    assert context.onset.time_s == 360
    assert context.at([59, 61, 361, 959, 961]).tolist() == [
        "wake", "drowsy", "sleep_onset", "sleep_onset", "asleep",
    ]  # fmt: skip


def test_a_hypnogram_of_another_night_is_reported(tmp_path):
    context = night(0.5, read_hypnogram(write_text(tmp_path, "onset,duration,stage\n9e4,30,N2\n")))
    assert NOTE_ELSEWHERE in context.notes
