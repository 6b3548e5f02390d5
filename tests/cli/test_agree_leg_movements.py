"""``twitchsense agree --leg-movements``: indices of two lists beside each other."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main

HEAD = "onset,duration,leg\n"
ROWS = [f"{t},1,left\n" for t in (100, 120, 140, 160)]


@pytest.fixture
def files(tmp_path):
    texts = {
        "events": HEAD + "".join(ROWS),
        "truth": HEAD + "".join(ROWS[:3]),
        "stages": "onset,duration,stage\n0,3600,N2\n",
        "breaths": "onset,duration\n110,8\n",
        "indices": "index,PLMScoRe\nn_plm,4\nplms_index,4.5\nn_isolated,\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return {name: str(tmp_path / f"{name}.csv") for name in texts}


def run(*args):
    return CliRunner().invoke(main, ["agree", *args])


def test_both_lists_are_scored_by_every_rule_set(files):
    args = (files["events"], files["truth"], "--leg-movements", "--hypnogram", files["stages"],
            "--respiratory", files["breaths"], "--indices", files["indices"])  # fmt: skip
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["kinds"]["any"]["tp"] == 3
    legs = found["leg_movements"]
    assert {name: legs[name]["wasm2016"]["n_plm"] for name in ("events", "truth")} == {
        "events": 4, "truth": 0,
    }  # fmt: skip
    assert set(legs["events"]) == {"wasm2016", "wasm2016-strict", "aasm"}
    assert legs["events"]["wasm2016"]["n_clmr"] == 1
    assert legs["events"]["wasm2016"]["plms_index"] == 4.0
    assert legs["programs"] == {"plmscore": {"n_plm": 4, "plms_index": 4.5, "n_isolated": None}}
    assert legs["notes"] == []
    shown = run(*args)
    assert shown.exit_code == 0
    (line,) = [text for text in shown.stdout.splitlines() if text.startswith("n_plm ")]
    assert line.split()[:8] == ["n_plm", "4", "0", "4", "0", "4", "0", "4"]
    assert line.endswith("periodic leg movements (PLM)")
    assert "PLMS per hour of sleep" in shown.stdout


def test_marks_without_kinds_are_compared_with_the_leg_movements(files, tmp_path):
    path = tmp_path / "all.csv"
    rows = [f"{t},0.1,left,twitch,twitch\n" for t in (100.1, 300, 400)]
    rows += [f"{t},1,left,movement,leg_movement\n" for t in (100, 120, 140)]
    path.write_text("onset,duration,leg,trial_type,label\n" + "".join(rows))
    plain = run(str(path), files["truth"])
    assert "Note: truth: names no kind and is compared with rows of all kinds" in plain.stderr
    assert run(str(path), files["truth"], "-q").stderr == ""
    found = json.loads(run(str(path), files["truth"], "--leg-movements", "--json").stdout)
    assert (found["kinds"]["any"]["precision"], found["notes"]) == (1.0, [])


def test_a_list_without_a_leg_is_compared_and_named(files, tmp_path):
    path = tmp_path / "noleg.csv"
    path.write_text("onset,duration\n" + "".join(f"{t},1\n" for t in (100, 120, 140, 160)))
    note = "no event names a leg: all are scored as movements of one leg"
    for truth, said in ((files["events"], f"events: {note}"), (str(path), note)):
        result = run(str(path), truth, "--leg-movements", "--json")
        legs = json.loads(result.stdout)["leg_movements"]
        assert legs["notes"] == [said]
        assert legs["events"]["wasm2016"]["n_plm"] == legs["truth"]["wasm2016"]["n_plm"] == 4


def test_one_kind_has_one_row(files):
    lines = run(files["events"], files["truth"]).stdout.splitlines()
    assert lines[1].split()[0] == "event" or lines[2].split()[0] == "event"
    assert not [line for line in lines if line.startswith("any ")]


def test_the_tolerance_is_printed_and_can_be_changed(files, tmp_path):
    said = "matched: rows that overlap, or whose onsets are at most"
    assert f"{said} 0.5 s apart" in run(files["events"], files["truth"]).stdout
    path = tmp_path / "kinds.csv"
    path.write_text("onset,duration,trial_type\n1,0.05,twitch\n5,1,movement\n9,1,jerk\n")
    got = run(str(path), str(path)).stdout
    assert f"{said} 0.1 s (twitch, jerk) or 0.5 s (movement) apart" in got
    assert "overlapped: rows that overlap any row of the other table" in got
    late = tmp_path / "late.csv"
    late.write_text("onset,duration,trial_type\n1.15,0.05,twitch\n5,1,movement\n9.2,0.1,jerk\n")
    found = json.loads(run(str(path), str(late), "--json").stdout)
    assert (found["kinds"]["any"]["tp"], found["tolerance_s"]["twitch"]) == (2, 0.1)
    found = json.loads(run(str(path), str(late), "--json", "--tolerance", "0.2").stdout)
    assert (found["kinds"]["any"]["tp"], found["tolerance_s"]["twitch"]) == (3, 0.2)
    assert run(str(path), str(late), "--tolerance", "-1").exit_code == 2


def test_without_the_option_nothing_changes(files):
    found = json.loads(run(files["events"], files["truth"], "--json").stdout)
    assert "leg_movements" not in found


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--hypnogram", "stages"), "--hypnogram: is used with --leg-movements only; add"),
        (("--leg-movements", "--indices", "breaths"), "has no column 'index'"),
        (("--leg-movements", "--zone", "Mars"), "no such time zone"),
    ],
)
def test_wrong_options_are_refused(files, args, says):
    result = run(files["events"], files["truth"], *(files.get(a, a) for a in args))
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_index_that_is_not_known_is_refused(files, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("index,SOMAS\nPLMI,4\n")
    result = run(files["events"], files["truth"], "--leg-movements", "--indices", str(path))
    assert result.exit_code == 2
    assert "line 2: unknown index 'PLMI'; use one of n_lm, n_bilateral_lm" in result.stderr
