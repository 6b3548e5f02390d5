"""What a person at a terminal sees: wrapped words, whole tables, help, suggestions."""

import io
import json
import os
import subprocess
import sys
import warnings

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from twitchsense.cli.app import VERBS, main
from twitchsense.cli.doctor import EXTRAS
from twitchsense.cli.text_output import open_page, print_text, table_lines, terminal_width, wrap

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")

HEADER = ["kind", "truth", "found", "sensitivity", "precision", "F1", "onset error"]
ROWS = [["brief_contraction", "12", "11", "0.92 (0.62–1.00)", "0.92 (0.62–1.00)",
         "0.92 (0.62–1.00)", "+1 ms"]]  # fmt: skip


def run(*args):
    return CliRunner().invoke(main, [str(a) for a in args])


def test_without_arguments_the_help_is_printed_in_lines():
    done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) > len(VERBS)
    assert not done.stderr.startswith("twitchsense:")
    assert "twitchsense demo --open" in done.stderr


@pytest.mark.parametrize(
    ("typed", "meant"), [("analyse", "analyze"), ("score_limb", "score-limb"), ("recrod", "record")]
)
def test_an_unknown_command_gets_a_suggestion(typed, meant):
    done = run(typed, "x.csv")
    assert done.exit_code == 2
    assert f"Did you mean '{meant}'?" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Did you mean" not in run("xyzzy").stderr


def test_every_command_has_one_whole_line_in_the_help():
    lines = run("--help").stdout.splitlines()
    for verb in VERBS:
        (line,) = [ln for ln in lines if ln.startswith(f"  {verb} ")]
        assert "..." not in line
        assert len(line) <= 80


def test_version_names_the_extras():
    shown = run("--version").stdout
    assert all(extra in shown for extra in EXTRAS)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_tables_keep_all_columns_at_any_width(width):
    lines = list(table_lines(HEADER, ROWS, width))
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(cell in text for cell in (*HEADER, *ROWS[0]))
    assert "…" not in text
    # each group of columns begins with the name of the row
    assert text.count("brief_contraction") == text.count("kind")


def test_tables_are_one_line_a_row_if_piped():
    assert len(list(table_lines(HEADER, ROWS, None))) == 2


def test_a_last_column_of_words_is_wrapped_below_itself():
    lines = list(table_lines(["index", "meaning"], [["n", "many words " * 10]], 40, left=(0, 1)))
    assert max(map(len, lines)) <= 40
    assert all(line.startswith("       many") for line in lines[2:])


def test_words_are_wrapped_and_paths_stay_whole():
    path = "/a/" + "long-" * 30 + "name.csv"
    shown = wrap(f"muscle signal and acceleration are in {path}", 30, "  ")
    assert shown.splitlines() == ["muscle signal and acceleration", "  are in", f"  {path}"]
    assert wrap("a b " * 60, None) == "a b " * 60


def test_hostile_text_is_shown_not_run(capsys):
    print_text("[bold]x[/] \x1b[31m")
    assert capsys.readouterr().out == "[bold]x[/] ?[31m\n"


def test_without_a_desktop_the_page_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    open_page(tmp_path / "report.html")
    assert "No browser" in capsys.readouterr().err


def test_warnings_of_libraries_go_to_the_log_only(monkeypatch, tmp_path):
    def warn(*args, **kwargs):
        warnings.warn("constrained_layout not applied", UserWarning, stacklevel=1)
        return {"twitchsense": "1", "python": "", "platform": "", "packages": {}, "extras": {}}

    monkeypatch.setattr("twitchsense.cli.doctor.collect_facts", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("doctor", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["twitchsense"] == "1"


def test_errors_are_wrapped_on_a_real_terminal(tmp_path):
    main_end, end = pty.openpty()
    missing = tmp_path / "missing.csv"
    command = [sys.executable, "-m", "twitchsense.cli", "report", str(missing)]
    done = subprocess.run(command, stderr=end, env={**os.environ, "COLUMNS": "60"}, check=False)
    os.close(end)
    shown = os.read(main_end, 10000).decode()
    os.close(main_end)
    assert done.returncode == 2
    assert str(missing) in shown
    words = [line for line in shown.splitlines() if str(tmp_path) not in line]
    assert words
    assert max(map(len, words)) <= 60


@pytest.mark.parametrize(
    ("words", "typed", "completed"),
    [([], "an", "analyze"), (["analyze"], "--hyp", "--hypnogram"), (["record"], "--le", "--leg")],
)
def test_the_shell_completes_commands_and_options(words, typed, completed):
    complete = ShellComplete(main, {}, "twitchsense", "_TWITCHSENSE_COMPLETE")
    assert completed in [item.value for item in complete.get_completions(words, typed)]


@pytest.mark.parametrize(
    ("variable", "value", "coloured"), [("TERM", "xterm", True), ("TERM", "dumb", False),
                                        ("NO_COLOR", "1", False)],
)  # fmt: skip
def test_colours_follow_the_terminal(monkeypatch, variable, value, coloured):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    print_text("rows: truth, columns: found", dim=True)
    assert ("\x1b[" in sys.stdout.getvalue()) == coloured


def test_the_width_is_that_of_the_terminal(monkeypatch):
    assert terminal_width() is None  # the tests are not in a terminal
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    assert terminal_width() == 100
