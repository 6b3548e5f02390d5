import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.recordings import make_recording, write_captures
from twitchsense.cli.analyze import describe_replaced_results
from twitchsense.cli.app import VERBS, main
from twitchsense.cli.doctor import EXTRAS
from twitchsense.errors import InputError, install_command
from twitchsense.model.event_table import EVENT_COLUMNS
from twitchsense.model.map_pairs import parse_map

ROOT = Path(__file__).parents[2]
FILES = {
    "events.csv",
    "events.json",
    "rejected.csv",
    "epochs.csv",
    "summary.json",
    "traces.npz",
    "report.html",
}


@pytest.fixture(autouse=True)
def _quiet_again():
    yield
    logger = logging.getLogger("twitchsense")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    return write_captures(make_recording(5, utc=False, gap=False), folder)


def run(*args):
    return CliRunner().invoke(main, [str(a) for a in args])


def refused(result, *words):
    """Check for exit status 2 and exactly one line on stderr."""
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def python(*args, **kwargs):
    return subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, timeout=120, check=False, **kwargs
    )


# -- analyze -------------------------------------------------------------------


def test_analyze_writes_the_contract(captures, tmp_path):
    out = tmp_path / "out"
    result = run("analyze", *captures, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert {p.name for p in out.iterdir()} == FILES
    assert list(pd.read_csv(out / "events.csv").columns) == [c.name for c in EVENT_COLUMNS]
    for words in ("The recording lasted 5 min", "twitch", "report.html"):
        assert words in result.stderr


def test_quiet_and_no_report(captures, tmp_path):
    result = run("analyze", *captures, "--out", tmp_path / "o", "--no-report", "-q")
    assert (result.exit_code, result.output) == (0, "")
    assert {p.name for p in (tmp_path / "o").iterdir()} == FILES - {"report.html"}


def test_results_of_another_recording_that_are_replaced_are_named(tmp_path):
    new = {"source": "b.csv", "sha256": "2"}
    assert describe_replaced_results(new, tmp_path) == ""
    for name, content, said in (
        ("b.csv", "2", ""),
        ("a.csv", "1", f"{tmp_path} held results of another recording (a.csv), which are"),
        ("b.csv", "1", f"{tmp_path} held results of another b.csv, which are replaced"),
    ):
        old = {"provenance": {"source": name, "sha256": content}}
        (tmp_path / "summary.json").write_text(json.dumps(old))
        note = describe_replaced_results(new, tmp_path)
        assert note.startswith(said)
        assert bool(note) == bool(said)
    # a night that is still recorded grows
    (tmp_path / "summary.json").write_text('{"provenance": {"source": "a.night", "sha256": "1"}}')
    assert describe_replaced_results({"source": "a.night", "sha256": "2"}, tmp_path) == ""
    (tmp_path / "summary.json").write_text("[]")
    assert describe_replaced_results(new, tmp_path) == ""


@pytest.mark.parametrize(
    ("origin", "package"),
    [
        ('{"url": "file:///CLONE%20A", "dir_info": {"editable": true}}', "'CLONE A[sim]'"),
        ('{"url": "file:///none", "dir_info": {}}', "'twitchsense[sim]'"),
        ('{"url": "https://x.org/a.whl", "archive_info": {}}', "'twitchsense[sim]'"),
        (None, "'twitchsense[sim]'"),
    ],
)
def test_the_cure_for_a_missing_extra_is_a_command_of_this_environment(
    monkeypatch, tmp_path, origin, package
):
    clone = tmp_path / "clone A"
    clone.mkdir()
    (clone / "pyproject.toml").touch()
    shown = origin and origin.replace("/CLONE%20A", str(clone).replace(" ", "%20"))
    found = SimpleNamespace(read_text=lambda name: shown)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: found)
    monkeypatch.setattr(sys, "executable", "/a b/python")
    command = install_command("sim")
    assert command == f"'/a b/python' -m pip install {package.replace('CLONE A', str(clone))}"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert install_command("sim").startswith("uv pip install --python '/a b/python' '")


def test_hypnogram_map_settings_and_zone(captures, tmp_path):
    stages = tmp_path / "stages.csv"
    stages.write_text("onset,duration,stage\n" + "".join(
        f"{30 * i},30,{'W' if i < 4 else 'N2'}\n" for i in range(10)))  # fmt: skip
    foreign = tmp_path / "foreign.csv"
    foreign.write_text(captures[0].read_text().replace("time_s,emg1_uv", "Time,EMG(uV)", 1))
    settings = tmp_path / "mine.toml"
    settings.write_text("[twitch]\nmin_uv = 75\n")
    result = run(
        "analyze", foreign, captures[1], "--out", tmp_path / "o", "--hypnogram", stages,
        "--settings", settings, "--map", "Time=time_s,EMG(uV)=emg1_uv",
        "--profile", "default-2026", "--zone", "Europe/Berlin", "--no-report",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    summary = json.loads((tmp_path / "o" / "summary.json").read_text("utf-8"))
    assert summary["sleep_onset"]["time_s"] == 120
    assert summary["clock"]["zone"] == "Europe/Berlin"
    events = pd.read_csv(tmp_path / "o" / "events.csv")
    assert events["amplitude_uv"][events["trial_type"] == "twitch"].min() >= 75
    assert set(events["stage"]) == {"W", "N2"}


def test_numeric_stages_need_codes_and_respiratory_events_are_used(captures, tmp_path):
    stages = tmp_path / "yasa.txt"
    stages.write_text("0\n" * 4 + "2\n" * 6)
    breaths = tmp_path / "breaths.csv"
    breaths.write_text("onset,duration\n100,20\n")
    call = ("analyze", *captures, "--out", tmp_path / "o", "--hypnogram", stages, "--no-report")
    refused(run(*call), "is a number, and programs use different numbers")
    refused(run(*call, "--stages", "four=W"), "is a number")
    refused(run(*call, "--stages", "0:W"), "is not a pair")
    result = run(*call, "--stages", "yasa", "--respiratory", breaths, "--profile", "aasm-2026")
    assert result.exit_code == 0, result.stderr
    summary = json.loads((tmp_path / "o" / "summary.json").read_text("utf-8"))
    assert summary["sleep_onset"]["time_s"] == 120
    assert summary["hypnogram"]["minutes"] == {"N2": 3, "W": 2}
    assert summary["hypnogram"]["source"] == "yasa.txt"
    assert summary["leg_movements"]["labels_by"] == "aasm"
    assert summary["leg_movements"]["rules"]["wasm2016"]["n_clmr"] is not None
    assert any("has no times" in note for note in summary["notes"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "time_s,emg1_uv\n",
        "time_s,emg1_furlong\n0,1\n1,2\n",
        "a,b\n1,2\n",
        "time_s,emg1_uv\n0,1\n0.001,2\n0.0005,3\n",
        "\x00\x01\x02\x89PNG\x00\x00",
    ],
    ids=["empty", "header only", "unit", "columns", "backwards", "binary"],
)
def test_bad_captures_are_one_line_and_write_nothing(tmp_path, content):
    bad = tmp_path / "bad.csv"
    bad.write_text(content)
    refused(run("analyze", bad, "--out", tmp_path / "out"), "bad.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--profile", "nope"], "no such profile"),
        (["--map", "nonsense"], "is not a pair"),
        (["--zone", "Mars/Base"], "no such time zone"),
        (["--settings", "no.toml"], "no.toml"),
        (["--hypnogram", "no.csv"], "no.csv"),
        (["--respiratory", "no.csv"], "no.csv"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_options_are_one_line_and_write_nothing(captures, tmp_path, options, words):
    refused(run("analyze", captures[1], "--out", tmp_path / "out", *options), words)
    assert list(tmp_path.iterdir()) == []


def test_usage_errors_are_one_line(captures):
    refused(run("analyze", captures[0]), "--out", "--help")
    refused(run("frob"), "frob")
    refused(run("analyze", "--out", "x"), "CAPTURE")


def test_results_never_overwrite_an_input(captures, tmp_path):
    mine = tmp_path / "events.csv"
    mine.write_text(captures[0].read_text())
    before = mine.read_bytes()
    refused(run("analyze", mine, "--out", tmp_path), "would be overwritten")
    assert mine.read_bytes() == before


def test_out_that_is_a_file_is_refused_before_the_analysis(captures, tmp_path):
    (tmp_path / "out").write_text("x")
    refused(run("analyze", tmp_path / "missing.csv", "--out", tmp_path / "out"), "is a file")


def test_hostile_names_are_shown_not_run(captures, tmp_path):
    name = "[bold red]x[/] \x1b[31m\n.csv"
    result = run("analyze", tmp_path / name, "--out", tmp_path / "out")
    refused(result, "[bold red]x[/]")
    assert "\x1b" not in result.stderr
    out = tmp_path / "[bold]out[/bold]"
    done = run("analyze", *captures, "--out", out, "--no-report")
    assert done.exit_code == 0
    assert "[bold]out[/bold]" in done.stderr


@pytest.mark.parametrize("names", [("stdout",), ("stderr",), ("stdout", "stderr")])
def test_closed_streams_change_no_result(captures, tmp_path, monkeypatch, names):
    """``>&-`` and services without a terminal: Python then has None in place of a stream."""
    for name in names:
        monkeypatch.setattr(sys, name, None)
    with pytest.raises(SystemExit) as ended:
        main.main(["export", str(captures[0]), "--to", "csv", "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        main.main(["export", str(captures[0]), "--to", "csv", "--out", str(captures[0])])
    assert ended.value.code == 2


def test_a_reader_that_closes_the_pipe_is_no_failure():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        done = subprocess.run(
            [sys.executable, "-m", "twitchsense.cli", "--help"], stdout=closed, stderr=-1
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_display_of_figures_that_a_user_prefers_is_not_used(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "nosuch")  # matplotlib raises when it is imported
    assert run("doctor").exit_code == 0
    assert os.environ["MPLBACKEND"] == "agg"


def test_a_night_file_that_cannot_be_created_is_status_2(tmp_path):
    (tmp_path / "file").touch()
    done = run("record", "--device", "ts-0001", "--out", tmp_path / "file" / "a.night")
    assert done.exit_code == 2
    assert "a.night: cannot be written" in done.stderr


def test_internal_error_is_status_1_with_a_traceback_only_if_verbose(
    captures, tmp_path, monkeypatch
):
    def broken(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr("twitchsense.results.night.analyze", broken)
    plain = run("analyze", *captures, "--out", tmp_path / "out")
    assert plain.exit_code == 1
    assert plain.stderr.count("\n") == 1
    assert "please report" in plain.stderr
    loud = run("analyze", *captures, "--out", tmp_path / "out", "-v")
    assert loud.exit_code == 1
    assert "Traceback" in loud.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_status_130_and_writes_nothing(captures, tmp_path, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("twitchsense.results.night.analyze", stop)
    result = run("analyze", *captures, "--out", tmp_path / "out")
    assert result.exit_code == 130
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_a_library_makes_an_error_of_is_no_internal_error(
    captures, tmp_path, monkeypatch, sign, status
):
    def convert(*args, **kwargs):
        try:
            signal.raise_signal(sign)
        except BaseException:
            raise TypeError("incompatible function arguments") from None

    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr("twitchsense.results.night.analyze", convert)
    try:
        result = run("analyze", *captures, "--out", tmp_path / "out")
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    assert (result.exit_code, result.stderr) == (status, "twitchsense: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_results_of_deeply_nested_json_are_replaced(captures, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text("[" * 100_000)
    result = run("analyze", *captures, "--out", tmp_path / "out", "--no-report")
    assert result.exit_code == 0, result.stderr


# -- as a process --------------------------------------------------------------


@pytest.mark.slow  # starts processes
def test_a_real_process_refuses_bad_input(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("time_s,emg1_uv\n0,1\n")
    done = python("-m", "twitchsense.cli", "analyze", bad, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("in_callback", [False, True])
def test_a_real_process_ends_cleanly_on_signals(captures, tmp_path, sign, status, in_callback):
    code = (
        # a run in the background inherits Ctrl-C ignored
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import time, weakref, twitchsense.results.night as n\n"
        "def wait(*a, **k):\n"
        "    print('ready', flush=True)\n"
        # Python ignores an exception in the callback of a weak reference
        f"    if {in_callback}: weakref.finalize(type('A', (), {{}})(), time.sleep, 60)\n"
        "    time.sleep(60)\n"
        "n.analyze = wait\n"
        "from twitchsense.cli.app import main\nmain()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "analyze", *captures, "--out", tmp_path / "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(sign)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_help_and_import_load_nothing_heavy():
    heavy = {"numpy", "pandas", "scipy", "matplotlib", "pydantic", "jinja2", "rich"}
    code = (
        "import sys, contextlib\n"
        "import twitchsense\n"
        "from twitchsense.cli.app import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "with contextlib.suppress(SystemExit): main(['analyze', '--help'])\n"
        f"sys.exit(' '.join({heavy!r} & set(sys.modules)) or 0)\n"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    for verb in VERBS:
        assert verb in done.stdout


# -- the other verbs -----------------------------------------------------------


def write_events(path, onsets):
    table = pd.DataFrame({"onset": onsets, "duration": 0.1, "trial_type": "twitch"})
    table.to_csv(path, index=False)
    return path


def test_agree(tmp_path):
    found = write_events(tmp_path / "found.csv", [1.0, 2.0, 9.0])
    truth = write_events(tmp_path / "truth.csv", [1.01, 2.01, 5.0, 7.0])
    result = run("agree", found, truth, "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    twitch = json.loads(result.stdout)["kinds"]["twitch"]
    assert (twitch["tp"], twitch["n_truth"], twitch["n_found"]) == (2, 4, 3)
    shown = run("agree", found, truth)
    assert shown.exit_code == 0
    assert "0.50 (" in shown.stdout
    refused(run("agree", found, tmp_path / "no.csv"), "no.csv")
    alarms = json.loads(run("agree", found, truth, "--hours", "4", "--json").stdout)
    assert alarms["hours"] == 4
    assert alarms["kinds"]["twitch"]["false_alarms_per_h"] == 0.25
    assert "0.25 (" in run("agree", found, truth, "--hours", "4").stdout
    assert run("agree", found, truth, "--hours", "0").exit_code == 2


def test_agree_shows_the_confusion_and_no_control_characters(tmp_path):
    found, truth = tmp_path / "found.csv", tmp_path / "truth.csv"
    truth.write_text("onset,duration,trial_type\n1,0.1,jerk\n")
    found.write_text("onset,duration,trial_type\n1,0.1,tw\x1b[31mitch\n")
    lines = run("agree", found, truth).stdout.splitlines()
    assert not any("\x1b" in line for line in lines)
    jerk = [line.split() for line in lines if line.startswith("jerk")]
    assert jerk[1] == ["jerk", "0", "1", "0"]  # of one jerk: called jerk, the other, nothing


def test_agree_refuses_an_onset_out_of_range(tmp_path):
    odd = tmp_path / "odd.csv"
    odd.write_text("onset,duration,trial_type\n1,0.1,jerk\n1e300,0.1,jerk\n")
    refused(run("agree", odd, odd), "line 3")


def test_doctor():
    result = run("doctor", "--json")
    facts = json.loads(result.stdout)
    assert list(facts["extras"]) == list(EXTRAS)
    assert all(isinstance(present, bool) for present in facts["extras"].values())
    assert facts["packages"]["numpy"]
    assert str(Path.home()) not in result.stdout
    shown = run("doctor").stdout
    for extra, (_, purpose) in EXTRAS.items():
        line = next(ln for ln in shown.splitlines() if ln.startswith(f"extra {extra} "))
        assert purpose in line
        assert (f'pip install ".[{extra}]" in the clone' in line) != facts["extras"][extra]


def test_doctor_knows_every_extra_and_its_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    packages = {
        extra: tuple(re.match(r"[\w-]+", requirement)[0] for requirement in requirements)
        for extra, requirements in project["optional-dependencies"].items()
    }
    assert packages.pop("all") == ("twitchsense",)  # it names other extras
    assert {extra: needs for extra, (needs, _) in EXTRAS.items()} == packages


def test_version():
    assert run("--version").stdout.startswith("twitchsense ")


def test_map_pairs():
    assert parse_map(["Time=time_s,EMG (a=b)=emg1_uv", "x = acc_x_g"]) == {
        "Time": "time_s", "EMG (a=b)": "emg1_uv", "x": "acc_x_g",
    }  # fmt: skip
    assert parse_map(['Time [H:M,s]=time_s,a,b=emg1_uv,"c=1,""d"""=emg2_uv']) == {
        "Time [H:M,s]": "time_s", "a,b": "emg1_uv", 'c=1,"d"': "emg2_uv",
    }  # fmt: skip
    for bad in ("Time", "=time_s", "Time=", "", "x=acc_x_g,"):
        with pytest.raises(InputError, match="is not a pair"):
            parse_map([bad])
