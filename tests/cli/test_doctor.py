"""``doctor``: Bluetooth, disk and time zone; ``cohort --strict``."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from twitchsense.cli import doctor
from twitchsense.cli.app import main


def run(*args):
    return CliRunner().invoke(main, [str(a) for a in args])


def test_bluetooth_is_described(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    assert doctor.describe_bluetooth(tmp_path) == "no adapter found"
    for name in ("hci1", "hci0", "hci0:11"):
        (tmp_path / "sys/class/bluetooth" / name).mkdir(parents=True)
    assert doctor.describe_bluetooth(tmp_path).startswith("hci0, hci1; no D-Bus")
    (tmp_path / "run/dbus").mkdir(parents=True)
    (tmp_path / "run/dbus/system_bus_socket").touch()
    assert doctor.describe_bluetooth(tmp_path) == "hci0, hci1"


def test_time_zone_is_shown_with_its_offset(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert doctor.describe_time_zone().startswith("Europe/Berlin (UTC")


def test_a_full_disk_is_pointed_out(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=4e8))
    assert json.loads(run("doctor", "--json").stdout)["disk_free_gb"] == 0.4
    assert "0.4 GB free for this folder: too little for a night" in run("doctor").stdout


@pytest.mark.parametrize(("option", "status"), [([], 0), (["--strict"], 1)])
def test_a_strict_cohort_fails_if_a_night_failed(monkeypatch, tmp_path, option, status):
    outcome = SimpleNamespace(
        total=2, done=1, kept=0, failed=1, failures={"b": "x"}, finished=2, remaining_s=None
    )
    monkeypatch.setattr("twitchsense.cohort.run.run_cohort", lambda *a, **k: outcome)
    (tmp_path / "l.csv").write_text("captures\na.csv\nb.csv\n")
    done = run("cohort", tmp_path / "l.csv", "--out", tmp_path / "o", *option)
    assert done.exit_code == status
    assert ("1 of 2 nights failed (--strict)" in done.stderr) == bool(status)
