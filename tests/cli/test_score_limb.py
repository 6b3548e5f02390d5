"""``twitchsense score-limb``: output and errors."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import twitchsense as ts
from twitchsense.cli.app import main
from twitchsense.cli.score_limb import RULE_NAMES
from twitchsense.scoring.leg_movements.rules import RULES

CONTRACT = [
    "n_lm",
    "n_bilateral_lm",
    "n_clm",
    "n_plm",
    "n_plms",
    "n_plmw",
    "n_series",
    "n_short_imi",
    "n_isolated",
    "plms_index",
    "plmw_index",
    "pi_sleep",
    "n_clmr",
    "n_clm_nr",
    "n_plm_nr",
    "n_plms_nr",
    "plms_nr_index",
]
COLUMNS = {"onset", "duration", "leg", "bilateral", "clm", "plm", "series", "stage", "respiratory"}
MOVES = """onset,duration,leg
80.2,1,left
100.2,1,left
105.2,1,right
115.2,2,left
115.4,2,right
125.2,1,left
135.2,1,left
"""
STAGES = "onset,duration,stage\n0,90,W\n90,90,N2\n"
BREATHS = "onset,duration\n40,50\n"


@pytest.fixture
def files(tmp_path):
    texts = {"moves": MOVES, "stages": STAGES, "breaths": BREATHS}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return {name: str(tmp_path / f"{name}.csv") for name in texts}


def run(*args):
    return CliRunner().invoke(main, ["score-limb", *args])


def loaded(*args):
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_json_holds_the_keys_of_the_contract_and_the_movements(files):
    found = loaded(
        files["moves"], "--hypnogram", files["stages"], "--respiratory", files["breaths"]
    )
    assert list(found) == [*CONTRACT, "notes", "movements"]
    movements = found.pop("movements")
    assert found.pop("notes") == []
    assert found == {
        "n_lm": 6, "n_bilateral_lm": 1, "n_clm": 6, "n_plm": 4, "n_plms": 4, "n_plmw": 0,
        "n_series": 1, "n_short_imi": 1, "n_isolated": 2, "plms_index": 160.0, "plmw_index": 0.0,
        "pi_sleep": 0.8, "n_clmr": 1, "n_clm_nr": 5, "n_plm_nr": 5, "n_plms_nr": 4,
        "plms_nr_index": 160.0,
    }  # fmt: skip
    assert set(movements[0]) >= COLUMNS
    bilateral = movements[3]
    assert (bilateral["onset"], bilateral["duration"], bilateral["leg"]) == (115.2, 2.2, "both")
    assert [m["series"] for m in movements] == [None, None, 1, 1, 1, 1]
    assert [m["stage"] for m in movements] == ["W", *["N2"] * 5]
    assert [m["respiratory"] for m in movements] == [False, True, False, False, False, False]


def test_undefined_indices_are_null(files):
    found = loaded(files["moves"])
    assert [name for name in CONTRACT if found[name] is None] == [
        "n_plms", "n_plmw", "plms_index", "plmw_index", "pi_sleep",
        "n_clmr", "n_clm_nr", "n_plm_nr", "n_plms_nr", "plms_nr_index",
    ]  # fmt: skip
    assert {m["stage"] for m in found["movements"]} == {None}
    assert {m["respiratory"] for m in found["movements"]} == {None}


@pytest.mark.parametrize(("rules", "n_plm"), [("wasm2016", 4), ("wasm2016-strict", 0), ("aasm", 6)])
def test_rules_are_chosen_by_name(files, rules, n_plm):
    assert loaded(files["moves"], "--rules", rules)["n_plm"] == n_plm


def test_command_knows_all_rules():
    assert tuple(RULES) == RULE_NAMES


def test_score_limb_without_json_prints_a_table(files):
    result = run(files["moves"], "--hypnogram", files["stages"])
    assert result.exit_code == 0
    assert "Rules: WASM/IRLSSG 2016" in result.stdout
    rows = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines() if line}
    assert rows["n_plms"] == "4"
    assert rows["plms_index"] == "160.00"
    (undefined,) = [line for line in result.stdout.splitlines() if line.startswith("Undefined")]
    assert undefined.startswith("Undefined without --respiratory: n_clmr, n_clm_nr")


def test_a_list_without_movements_is_a_quiet_night(files, tmp_path):
    (tmp_path / "none.csv").write_text("onset,duration,leg\n")
    found = loaded(str(tmp_path / "none.csv"), "--hypnogram", files["stages"])
    assert (found["n_lm"], found["plms_index"], found["movements"]) == (0, 0.0, [])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("moves", "onset,duration,leg\n1,1,both\n", ("moves.csv, line 2", "left or right")),
        ("moves", "onset,leg\n1,left\n", ("moves.csv, line 1", "duration")),
        ("moves", "\x00\x01", ("moves.csv", "binary")),
        ("moves", "", ("moves.csv", "is empty")),
        ("stages", "onset,duration,stage\n0,30,2\n", ("stages.csv, line 2", "is a number")),
        ("stages", "onset,duration,stage\n", ("stages.csv", "no epochs")),
        ("stages", "onset,stage\n0,W\n30,W\n70,W\n", ("stages.csv", "duration")),
        ("breaths", "onset,duration\n1,\n", ("breaths.csv, line 2", "duration is empty")),
        ("breaths", "onset,duration\n1,-3\n", ("breaths.csv, line 2", "negative")),
    ],
)
@pytest.mark.parametrize("json_too", [True, False])
def test_bad_input_is_refused_in_one_line(files, tmp_path, name, text, words, json_too):
    (tmp_path / f"{name}.csv").write_text(text)
    before = sorted(tmp_path.iterdir())
    options = ["--hypnogram", files["stages"], "--respiratory", files["breaths"]]
    result = run(files["moves"], *options, *(["--json"] if json_too else []))
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("args", [["no-such-file.csv"], [], ["--rules", "icsd", "x.csv"]])
def test_bad_usage_is_refused(args):
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_numbers_as_stages_need_codes(files, tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text("onset,duration,stage\n0,90,0\n90,90,2\n")
    words = [files["moves"], "--hypnogram", str(path)]
    result = run(*words)
    assert result.exit_code != 0
    assert "--stages yasa" in str(result.exception) + result.output
    by_number = loaded(*words, "--stages", "yasa")
    assert by_number == loaded(files["moves"], "--hypnogram", files["stages"])


def test_events_of_analyze_are_scored_as_in_its_summary(tmp_path):
    """Leg movements alone count, without a leg all are on one, large ones are no candidates."""
    from twitchsense.scoring.event_lists.mark_files import read_events
    from twitchsense.scoring.leg_movements.recording_indices import find_leg_movements

    rows = ["onset,duration,trial_type,label,leg"]
    rows += [f"{20 * i},2,movement,periodic_leg_movement_like," for i in range(8)]
    rows += ["161,3,posture_change,posture_change,", "165,0.05,twitch,fasciculation_like,"]
    rows += [f"{170 + 20 * i},2,movement,periodic_leg_movement_like," for i in range(3)]
    rows += ["300,1,movement,alma_like,"]
    path = tmp_path / "events.csv"
    path.write_text("\n".join(rows) + "\n")
    found = loaded(str(path))
    events = read_events(path)
    want = find_leg_movements(events, "wasm2016", events["label"].isin(["alma_like"]).to_numpy())
    assert found["n_lm"] == len(want.movements) == 12
    assert found["n_clm"] == int(want.movements.clm.sum()) == 11
    assert found["n_plm"] == int((want.series > 0).sum()) == 8
    assert found["notes"] == [
        "no event names a leg: all are scored as movements of one leg",
        "12 of 14 events are leg movements",
    ]


def test_a_table_of_another_program_with_kinds_and_labels_is_read_as_marks(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_text("onset,duration,trial_type,label,leg\n1,2,LM,x,left\n30,2,LM,x,right\n")
    assert loaded(str(path))["n_lm"] == 2
    path.write_text("onset,duration,trial_type,label,leg\n1,2,LM,x,\n9,2,LM,x,left\n")
    assert "leg is empty" in run(str(path)).stderr


def test_python_takes_the_paths_and_options_of_the_command(files):
    found = ts.score_limb(files["moves"], files["stages"], Path(files["breaths"]))
    stages = ("--hypnogram", files["stages"], "--respiratory", files["breaths"])
    assert found.to_dict() == loaded(files["moves"], *stages)
    table = pd.read_csv(files["moves"])
    for movements in (table, files["moves"]):
        score = ts.score_limb(movements, files["stages"])
        assert score.indices["n_plms"] == found.indices["n_plms"]
    with pytest.raises(ts.InputError, match="movements: is of the type list; give a path, or a"):
        ts.score_limb([80.2, 100.2])


def test_cures_of_messages_in_python_work(files, tmp_path):
    clock = tmp_path / "clock.csv"
    clock.write_text("time,duration,stage\n22:30:00,90,W\n22:31:30,90,N2\n")
    with pytest.raises(ts.InputError, match="start='22:30:00'"):
        ts.score_limb(files["moves"], hypnogram=clock)
    found = ts.score_limb(files["moves"], hypnogram=clock, start="22:30:00")
    expected = ts.score_limb(files["moves"], files["stages"])
    assert found.indices["n_plms"] == expected.indices["n_plms"]
    marks = pd.read_csv(files["moves"]).assign(trial_type=["Zuck", "twitch", *["Zuck"] * 5])
    with pytest.raises(ts.InputError, match=r"kinds={'LM': 'movement'}"):
        ts.score_limb(marks)
    assert ts.score_limb(marks, kinds={"Zuck": "movement"}).indices["n_lm"] > 0
