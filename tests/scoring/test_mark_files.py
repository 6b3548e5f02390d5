"""Lists of events in the formats of scorers, and in those that `export` writes."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.scoring.annotations import to_luna, to_nsrr
from twitchsense.scoring.event_lists.mark_files import read_events, read_mark_list
from twitchsense.scoring.event_lists.mark_kinds import parse_kinds, split_leg
from twitchsense.scoring.leg_movements.input import read_movements
from twitchsense.sleep.hypnogram.clock_times import NightClock

#: Three marks: onset, duration, kind and leg.
ROWS = [(25.0, 0.1, "twitch", "left"), (33.0, 0.2, "twitch", "right"), (400.0, 2.0, "movement", "")]
#: 22:15:04 in Berlin on 1 March 2026, UTC in microseconds.
START_US = 1_772_399_704_000_000
BERLIN = NightClock(0, 600_000_000, START_US, "Europe/Berlin")


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.csv"
    lines = [f"{t},{d},{kind},{leg}\n" for t, d, kind, leg in ROWS]
    path.write_text("onset,duration,trial_type,leg\n" + "".join(lines))
    return path


def event_table() -> pd.DataFrame:
    frame = pd.DataFrame(ROWS, columns=["onset", "duration", "trial_type", "leg"])
    frame["label"] = ["fasciculation_like", "hypnagogic_twitch", "leg_movement"]
    text = dict.fromkeys(("context", "channel", "series"), "")
    numbers = dict.fromkeys(("amplitude_uv", "peak_g", "confidence"), 1.0)
    return frame.assign(**text, **numbers)


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def check(frame, legs=True):
    assert frame["onset"].tolist() == pytest.approx([r[0] for r in ROWS])
    assert frame["duration"].tolist() == pytest.approx([r[1] for r in ROWS])
    assert frame["trial_type"].tolist() == [r[2] for r in ROWS]
    if legs:
        assert frame["leg"].tolist() == [r[3] for r in ROWS]


def run(*args):
    return CliRunner().invoke(main, ["agree", *map(str, args)])


def compared(*args):
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("start", [None, "22:15:04"])
def test_annotations_of_edf_are_read(tmp_path, events, start):
    edfio = pytest.importorskip("edfio")
    texts = ["Twitch L", "twitch (right)", "Leg Movement"]
    notes = [edfio.EdfAnnotation(t, d, word) for (t, d, *_), word in zip(ROWS, texts, strict=True)]
    notes += [edfio.EdfAnnotation(30 * k, 30, "Sleep stage N2") for k in range(20)]
    notes.append(edfio.EdfAnnotation(50, 12, "Hypopnea"))
    path = tmp_path / "scorer.edf"
    edfio.Edf([], annotations=sorted(notes, key=lambda a: a.onset)).write(path)
    kinds = ("--kinds", "leg movement=movement")
    found = compared(events, path, *kinds, *(("--start", "00:00:00") if start else ()))
    assert found["kinds"]["any"]["tp"] == found["kinds"]["any"]["n_truth"] == 3
    said = " ".join(found["notes"])
    assert "left out 1 annotations of unknown kinds: 'Hypopnea'; if they are leg movements" in said
    assert "the leg is read from the text, such as 'Twitch L'" in said
    assert ("begins at 00:00:00, taken as second 0 of the marks" in said) != bool(start)
    check(read_events(path, {"Leg movement": "movement"}))


@pytest.mark.parametrize("header", [True, False])
def test_luna_annotations_are_read(tmp_path, header):
    lines = ["class\tinstance\tchannel\tstart\tstop\tmeta"] if header else ["# twitch | a twitch"]
    lines.append("N2\t.\t.\t0.0\t30.0\t.")
    for (t, d, kind, _), channel in zip(ROWS, ("EMG LAT", "EMG RAT", "."), strict=True):
        lines.append(f"{kind.title()}\t.\t{channel}\t{t}\t{t + d}\t.")
    check(read_events(write(tmp_path, "scorer.annot", "\n".join(lines) + "\n")))


def test_exported_events_are_read_again(tmp_path):
    luna = read_events(write(tmp_path, "events.annot", to_luna(event_table())))
    check(luna)
    assert luna["label"].tolist() == event_table()["label"].tolist()
    nsrr = write(tmp_path, "events.xml", to_nsrr(event_table()))
    kinds = {"fasciculation_like": "twitch", "hypnagogic_twitch": "twitch",
             "Limb Movement": "movement"}  # fmt: skip
    check(read_events(nsrr, kinds), legs=False)


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_annotations_of_mne_are_read(tmp_path, dated, suffix):
    pytest.importorskip("mne")
    from twitchsense.scoring.annotations import to_annotations

    path = tmp_path / f"events-annot.{suffix}"
    annotations = to_annotations(event_table(), START_US * 1000 if dated else None)
    annotations.save(path, verbose="error")
    mark_list = read_mark_list(path, clock=BERLIN if dated else None)
    check(mark_list.frame)
    assert mark_list.frame["label"].tolist() == event_table()["label"].tolist()
    assert any("as UTC" in note for note in mark_list.notes) == (dated and suffix == "csv")
    if dated and suffix == "csv":
        with pytest.raises(InputError, match="line 2: onset holds clock times; give the clock"):
            read_mark_list(path)


@pytest.mark.parametrize(
    "rows",
    [
        ["22:15:29,0.1", "22:15:37,0.2", "22:21:44,2"],
        ["10:15:29 PM,0.1", "10:15:37 PM,0.2", "10:21:44 PM,2"],
        ["2026-03-01 22:15:29,0.1", "2026-03-01 22:15:37,0.2", "2026-03-01 22:21:44,2"],
        ["2026-03-01T21:15:29Z,0.1", "2026-03-01T21:15:37Z,0.2", "2026-03-01T21:21:44Z,2"],
    ],
)
def test_clock_times_are_placed_in_any_order(tmp_path, rows):
    lines = [f"{row},{r[2]}" for row, r in zip(rows, ROWS, strict=True)]
    path = write(tmp_path, "clock.csv", "\n".join(["Time,Duration (s),Event", *lines]))
    check(read_events(path, clock=BERLIN), legs=False)
    path.write_text("\n".join(["Time,Duration (s),Event", *lines[::-1]]))
    check(read_events(path, clock=BERLIN)[::-1], legs=False)


def test_clock_times_of_legs_one_after_the_other_pass_midnight_twice(tmp_path):
    text = "start,end,leg\n23:00:00,23:00:02,L\n05:00:00,05:00:02,L\n22:14:34,22:14:36,R\n"
    text += "23:59:59,00:00:01,R\n00:00:10,,R\n"
    got = read_events(write(tmp_path, "clock.csv", text), clock=BERLIN)
    assert got["onset"].tolist() == [2696, 24296, -30, 6295, 6306]
    assert got["duration"].tolist()[:4] == [2, 2, 2, 2]
    assert pd.isna(got["duration"].iloc[4])
    with pytest.raises(InputError, match=r"line 2: begins at '23:00:00' and ends at '2026-"):
        read_events(write(tmp_path, "b.csv", "start,end\n23:00:00,2026-03-01 23:00:02\n"),
                    clock=BERLIN)  # fmt: skip


def test_the_clock_is_that_of_the_option_or_of_the_recording(tmp_path, events):
    truth = write(tmp_path, "clock.csv", "Time,Duration (s),Event\n22:15:29,0.1,Twitch\n"
                  "22:15:37,0.2,Twitch\n22:21:44,2,LM\n")  # fmt: skip
    refused = run(events, truth)
    assert refused.exit_code == 2
    assert "time holds clock times; give the clock time of second 0: --start" in refused.stderr
    kinds = ("--kinds", "LM=movement")
    assert compared(events, truth, *kinds, "--start", "22:15:04")["kinds"]["any"]["tp"] == 3
    channels = {"emg": {"start_s": 0.0}}
    for zone, more in (("Europe/Berlin", ()), (None, ("--zone", "Europe/Berlin"))):
        clock = {"start_utc_ns": START_US * 1000, "zone": zone, "channels": channels}
        (tmp_path / "summary.json").write_text(json.dumps({"clock": clock}))
        assert compared(events, truth, *kinds, *more)["kinds"]["any"]["tp"] == 3
    assert "name the wearer's time zone, such as --zone" in run(events, truth).stderr
    dated = write(
        tmp_path, "dated.csv", "start,end,type\n2026-03-01 22:21:44,2026-03-01 22:21:46,LM\n"
    )
    assert compared(events, dated, *kinds, "--start", "22:15:04")["kinds"]["movement"]["tp"] == 1
    wrong = compared(events, truth, *kinds, "--start", "23:15:04")
    assert "the lists do not overlap in time" in " ".join(wrong["notes"])
    for name, at in (("a", "22:15:04"), ("b", "23:00:00")):
        rows = f"{at},000; N2\n" + ("22:15:34,000; N2\n" if name == "a" else "")
        head = f"Signal ID: x\nStart Time: 01.03.2026 {at}\nUnit: s\nRate: 30 s\n\n"
        write(tmp_path, f"{name}.txt", head + rows)
    night = ("--hypnogram", tmp_path / "a.txt", "--respiratory", tmp_path / "b.txt")
    said = run(events, events, "--leg-movements", *night).stderr
    assert "begins at 2026-03-01 23:00:00, but a.txt at 2026-03-01 22:15:04" in said
    (tmp_path / "summary.json").write_text("[1]")
    assert run(events, truth).exit_code == 2


def test_kinds_give_the_meaning_of_foreign_words(tmp_path, events):
    lines = [f"{t},{d},{word},{leg}\n" for (t, d, _, leg), word in
             zip(ROWS, ("Zuckung", "zuckung", "LM"), strict=True)]  # fmt: skip
    truth = write(tmp_path, "words.csv", "onset,duration,trial_type,leg\n" + "".join(lines))
    plain = compared(events, truth)
    assert plain["kinds"]["twitch"]["tp"] == 0
    assert "such as --kinds 'LM=movement'" in plain["notes"][0]
    found = compared(events, truth, "--kinds", "LM=Movement,Zuckung=twitch")
    assert (found["kinds"]["twitch"]["tp"], found["kinds"]["movement"]["tp"]) == (2, 1)
    assert found["categories"]["trial_type"]["n_equal"] == 3
    assert found["notes"] == []
    for value, says in (
        ("LN=movement", "--kinds: no row has the word 'LN' (found: 'twitch' (2), 'movement'"),
        ("LM", "--kinds: 'LM' is not a pair WORD=KIND"),
        ("LM=movement,lm=jerk", "--kinds: 'lm' is given twice"),
    ):
        result = run(events, truth, "--kinds", value)
        assert result.exit_code == 2
        assert says in result.stderr
        assert result.stderr.count("\n") == 1
    assert parse_kinds(["a=b", "c = d,e=f"]) == {"a": "b", "c": "d", "e": "f"}


def test_words_of_a_scorer_in_the_column_label_are_kinds(tmp_path, events):
    words = {"twitch": "LeftLegPhasic", "movement": "LM"}
    rows = [f"{t},{d},{words.get(kind, kind)}\n" for t, d, kind, _ in ROWS]
    path = write(tmp_path, "scorer.csv", "onset_s,duration_s,label\n" + "".join(rows))
    check(read_events(path, {word: kind for kind, word in words.items()}), legs=False)
    ours = write(tmp_path, "ours.csv", "onset,duration,label\n1,2,fasciculation_like\n2,2,\n")
    assert "trial_type" not in read_events(ours)  # a name that this program gives is no kind


def test_leg_movements_of_annotations_are_scored(tmp_path):
    lines = [f"LM\t.\tLAT\t{t}\t{t + 2}\t." for t in (100, 120, 140, 160)]
    lines += [f"Arousal\t.\tC3\t{t}\t{t + 3}\t." for t in (50, 90)]
    head = "class\tinstance\tchannel\tstart\tstop\tmeta\n"
    path = write(tmp_path, "scorer.annot", head + "\n".join(lines) + "\n")
    for args in (("score-limb", path), ("agree", path, path, "--leg-movements")):
        result = CliRunner().invoke(main, [*map(str, args), "--json"])
        assert result.exit_code == 2
        assert "names no leg movement ('LM' (4), 'Arousal' (2)); say which word" in result.stderr
        kinds = ("--kinds", "LM=movement", "--json")
        found = json.loads(CliRunner().invoke(main, [*map(str, args), *kinds]).stdout)
        if args[0] == "agree":
            found = found["leg_movements"]["truth"]["wasm2016"]
        assert (found["n_lm"], found["n_plm"]) == (4, 4)


def test_annotations_without_a_known_leg_movement_are_no_empty_list(tmp_path):
    rows = "Twitch\t.\t.\t1\t1.1\t.\nLM\t.\t.\t9\t11\t.\n"
    path = write(tmp_path, "a.annot", "class\tinstance\tchannel\tstart\tstop\tmeta\n" + rows)
    result = CliRunner().invoke(main, ["score-limb", str(path)])
    assert result.exit_code == 2
    assert "names no leg movement ('Twitch', 'LM'); say which word is one" in result.stderr
    assert len(read_movements(path, {"LM": "movement"})) == 1


def test_a_folder_is_refused_with_the_file_in_it(tmp_path, events):
    result = run(tmp_path, events)
    assert result.exit_code == 2
    assert f"is a folder; give {events}" in result.stderr
    assert "is a folder; give the file with the marks" in run(events, tmp_path.parent).stderr


@pytest.mark.parametrize(
    ("text", "channel", "found"),
    [
        ("Twitch L", "", ("Twitch", "left")),
        ("Limb movement - right|LM (Right)", "", ("Limb movement", "right")),
        ("LM@@EMG LAT", "", ("LM", "left")),
        ("LM", "emg1_right", ("LM", "right")),
        ("LM", "Chin R", ("LM", "")),
        ("Phase d", "C3", ("Phase d", "")),
        ("L", "", ("L", "")),
        ("jerk", "EMG L + R", ("jerk", "")),
    ],
)
def test_the_leg_is_found_in_text_and_channel(text, channel, found):
    assert split_leg(text, channel) == found
