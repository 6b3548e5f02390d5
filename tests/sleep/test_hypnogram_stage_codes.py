"""Lists of stages without times, and numeric stage codes."""

from __future__ import annotations

import pytest

from tests.sleep.builders import (
    refusal,
    write_text,
)
from twitchsense.errors import InputError
from twitchsense.sleep.hypnogram.clock_times import NightClock
from twitchsense.sleep.hypnogram.read import read_hypnogram
from twitchsense.sleep.hypnogram.stage_codes import parse_codes
from twitchsense.sleep.hypnogram.table import NOTE_LIST


def test_yasa_lists_and_tables_are_read(tmp_path):
    words = write_text(tmp_path, "WAKE\nN1\nN2\nART\nREM\nUNS\n", "hypno.txt")
    got = read_hypnogram(words)
    assert got.stage.tolist() == ["W", "N1", "N2", "", "R", ""]
    assert got.onset_s.tolist() == [0, 30, 60, 90, 120, 150]
    assert got.notes == (NOTE_LIST,)
    table = write_text(tmp_path, "Epoch,Stage\n0,WAKE\n1,N2\n")
    assert read_hypnogram(table).stage.tolist() == ["W", "N2"]
    events = write_text(
        tmp_path, "epoch,onset,duration,value,description\n0,0,60,0,WAKE\n2,60,30,2,N2\n"
    )
    assert read_hypnogram(events).duration_s.tolist() == [60, 30]
    # the list begins with the recording, wherever its axis does
    assert read_hypnogram(words, NightClock(90_000_000, 1)).onset_s[0] == 90


def test_integers_are_refused_without_a_mapping_and_read_with_one(tmp_path):
    path = write_text(tmp_path, "0\n1\n2\n3\n4\n-1\n")
    said = refusal(path)
    assert "line 1: stage '0' is a number, and programs use different numbers" in said
    assert "--stages yasa" in said
    yasa = read_hypnogram(path, codes=parse_codes("yasa")).stage.tolist()
    assert yasa == ["W", "N1", "N2", "N3", "R", ""]
    ours = read_hypnogram(path, codes=parse_codes("0=W,1=N1,2=N2,3=N3,4=N3,-1=?")).stage.tolist()
    assert ours == ["W", "N1", "N2", "N3", "N3", ""]
    nsrr = write_text(tmp_path, "onset,duration,stage\n0,30,5\n30,30,4.0\n")
    assert read_hypnogram(nsrr, codes=parse_codes("nsrr")).stage.tolist() == ["R", "N3"]
    # a code that is not in the mapping is still refused
    assert "line 2: stage '5' is a number" in refusal(nsrr, codes=parse_codes("0=W"))
    words = write_text(tmp_path, "onset,duration,stage\n0,30,Wach\n30,30,Tief\n")
    assert read_hypnogram(words, codes=parse_codes("wach=W,tief=N3")).stage.tolist() == ["W", "N3"]


@pytest.mark.parametrize("text", ["0", "0=", "=W", "0=W,,1=N1", "0=Z"])
def test_bad_codes_are_refused(text):
    with pytest.raises(InputError, match=r"the argument stages: .*(is not a pair|unknown stage)"):
        parse_codes(text)
