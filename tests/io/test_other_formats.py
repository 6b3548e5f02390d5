"""Formats that are known but not read are named, with a cure."""

import pytest

from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.formats import FORMATS


@pytest.mark.parametrize(
    ("name", "what", "cure"),
    [
        ("night.slk", "a Noraxon recording", "as CSV"),
        ("night.SLK", "a Noraxon recording", "as CSV"),
        ("walk.c3d", "C3D", "analog channels as CSV"),
        ("emg.mat", "a MATLAB file", "writetable"),
        ("a.acq", "AcqKnowledge", "CSV or EDF"),
        ("a.Poly5", "TMSi", "EDF"),
        ("a.smed", "SOMNOmedics", "EDF in DOMINO"),
        ("a.hpf", "EMGworks", "CSV"),
        ("a.otb+", "OT Bioelettronica", "CSV"),
        ("a.agd", "counts, without raw acceleration", ".gt3x"),
        ("a.xlsx", "Excel", "CSV"),
        ("a.zip", "an archive", "unpack"),
        ("a.cwa.gz", "Axivity", "gunzip"),
        ("a.vhdr", "MNE-Python reads", "--via mne"),
        ("a_raw.fif.gz", "MNE-Python reads", "--via mne"),
        ("a.vmrk", "marker file of BrainVision", ".vhdr"),
        ("a.trc", "Micromed", "EDF"),
        ("a.npz", "NumPy", "from_arrays"),
        ("export.xml", "sleep stages or events", "--hypnogram"),
        ("a.annot", "sleep stages or events", "--hypnogram"),
    ],
)
def test_a_known_format_is_named_with_its_cure(tmp_path, name, what, cure):
    path = tmp_path / name
    path.write_bytes(b"binary")
    with pytest.raises(InputError) as caught:
        read(path)
    assert what in caught.value.problem
    assert "which is not read" in caught.value.problem
    assert cure in caught.value.cure
    assert "\n" not in str(caught.value)


def test_a_folder_of_a_known_format_is_named(tmp_path):
    (tmp_path / "a.mff").mkdir()
    with pytest.raises(InputError, match=r"MNE-Python reads.*via='mne'"):
        read(tmp_path / "a.mff")


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    (tmp_path / "a.qqq").write_bytes(b"1")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.qqq")
    for capture_format in FORMATS:
        assert all(suffix in caught.value.cure for suffix in capture_format.suffixes)


@pytest.mark.parametrize("content", ["0       " + " " * 300, "time_s,emg1_uv\n0,1\n", ""])
def test_a_rec_file_is_edf_or_refused(tmp_path, content):
    (tmp_path / "a.rec").write_text(content)
    with pytest.raises(InputError, match="not an EDF or BDF file"):
        read(tmp_path / "a.rec")


@pytest.mark.parametrize(
    "text",
    [
        "onset,duration,stage\n0,30,W\n30,30,N1\n",
        "W\nW\nN1\nN2\nN2\nREM\n",
        "RemLogic Event Export\nPatient:\tX\n",
        "Signal ID: SchlafProfil\\profil\nStart Time: 01.03.2026 22:30:00\n",
        "class\tinstance\tchannel\tstart\tstop\tmeta\nN1\t.\t.\t0\t30\t.\n",
        "id;bedtime_start;sleep_phase_5_min\nx;2026-03-01T23:00:00+01:00;4422\n",
    ],
)
def test_stages_given_as_a_recording_are_named(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match="sleep stages or events") as caught:
        read(tmp_path / "a.txt")
    assert "--hypnogram" in caught.value.cure


def test_a_column_of_stages_beside_a_signal_is_left_out(tmp_path):
    rows = "".join(f"{i / 500:.3f},{i % 7},W\n" for i in range(1000))
    (tmp_path / "a.csv").write_text("time_s,emg1_uv,stage\n" + rows)
    assert [c.name for c in read(tmp_path / "a.csv").channels] == ["emg1"]
