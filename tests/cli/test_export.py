"""`twitchsense export`: local time and mapped names, and the way back into `analyze`."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import twitchsense as ts
from tests.nightfile.builders import write_night
from twitchsense.cli.app import main


def run(*words):
    result = CliRunner().invoke(main, [str(w) for w in words])
    assert result.exit_code == 0, result.output
    return result


def write_capture(path):
    """Write 150 s of acceleration that begin at 20:00 UTC, 22:00 in Berlin, in own names."""
    rng = np.random.default_rng(3)
    times = np.datetime64("2026-07-01T20:00:00") + np.arange(7500) * np.timedelta64(20, "ms")
    rows = [
        f"{t}Z,{x:.4f},{y:.4f},{1 + z:.4f}"
        for t, (x, y, z) in zip(times, rng.normal(0, 0.01, (7500, 3)), strict=True)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["stamp,u,v,w", *rows]) + "\n")
    return path


HYPNOGRAM = "start,duration,stage\n22:00:00,30,W\n22:00:30,90,N1\n22:02:00,30,N2\n"
MAP = "stamp=time_utc,u=acc_x_g,v=acc_y_g,w=acc_z_g"


@pytest.mark.parametrize(
    ("kind", "zone"),
    [("edf", "Europe/Berlin"), ("edf", "UTC"), ("edf", "America/New_York"), ("edf", None),
     ("bids", "Europe/Berlin"), ("bids", None)],
)  # fmt: skip
def test_a_hypnogram_falls_on_the_same_samples_after_the_export(tmp_path, zone, kind):
    capture = write_capture(tmp_path / "cap.csv")
    (tmp_path / "hypnogram.csv").write_text(HYPNOGRAM)
    words = ("export", capture, "--to", kind, "--out", tmp_path / "out", "--map", MAP)
    run(*words, *(() if zone is None else ("--zone", zone)))
    starts = []
    for name, source, more in (
        ("before", capture, ("--map", MAP)),
        ("after", tmp_path / "out" / ("acc.edf" if kind == "edf" else ""), ()),
    ):
        run("analyze", source, *more, "--zone", "Europe/Berlin", "--no-report", "--hypnogram",
            tmp_path / "hypnogram.csv", "--out", tmp_path / name)  # fmt: skip
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        starts.append((summary["hypnogram"]["start_s"], summary["clock"]["start_utc_ns"]))
    assert starts[0][0] == starts[1][0] == 0
    assert starts[0][1] == pytest.approx(starts[1][1], abs=1e6)


def test_force_replaces_an_export_but_no_input(tmp_path):
    capture = write_capture(tmp_path / "in" / "cap.csv")
    words = ["export", str(capture), "--to", "csv", "--map", MAP, "--out"]
    run(*words, tmp_path / "out")
    made = tmp_path / "out" / "acc.csv"
    content = made.read_bytes()
    made.write_text("old")
    refused = CliRunner().invoke(main, [*words, str(tmp_path / "out")])
    assert refused.exit_code == 2
    assert "acc.csv: already exists; add --force" in refused.stderr
    run(*words, tmp_path / "out", "--force")
    assert made.read_bytes() == content
    for more, message in (
        ([str(tmp_path / "in"), "--force"], "holds an input"),
        ([str(tmp_path / "out"), "--force", "--to", "bids"], "does not replace a BIDS data set"),
    ):
        refused = CliRunner().invoke(main, [*words, *more])
        assert refused.exit_code == 2
        assert message in refused.stderr


def test_names_are_mapped_before_the_export(tmp_path):
    capture = write_capture(tmp_path / "cap.csv")
    run("export", capture, "--to", "csv", "--out", tmp_path / "out", "--map",
        MAP.replace("acc_", "acc_left_"))  # fmt: skip
    (channel,) = ts.read(tmp_path / "out" / "acc.csv").channels
    assert (channel.name, channel.leg) == ("acc_left", "left")


def test_an_export_of_a_night_with_a_gap_says_so(tmp_path):
    path = write_night(tmp_path / "a.night", 20, keep=lambda _, s: s not in (100, 101))
    for kind, said in (("csv", "They are missing rows."), ("edf", "EDF+D keeps them")):
        result = run("export", path, "--to", kind, "--out", tmp_path / kind)
        assert "The recording has 1 gap of 0." in result.stderr
        assert said in result.stderr
    whole = write_night(tmp_path / "b.night", 2)
    assert "gap" not in run("export", whole, "--to", "csv", "--out", tmp_path / "b").stderr
