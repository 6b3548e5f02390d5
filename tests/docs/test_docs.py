"""The docs agree with the code: generated pages are up to date, links are valid."""

from __future__ import annotations

import re
import runpy
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest

from twitchsense.errors import InputError
from twitchsense.io import read
from twitchsense.io.text import dialects
from twitchsense.model.event_table import EVENT_COLUMNS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(
    "page", ["settings", "glossary", "labels", "broken", "detection", "architecture"]
)
def test_generated_page_is_fresh(page):
    made = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))[f"{page}_page"]()
    assert (ROOT / "docs" / f"{page}.md").read_text() == made


def test_every_column_of_the_contract_is_in_the_schema():
    contract = (
        "onset duration trial_type label context stage min_from_onset leg channel amplitude_uv "
        "peak_g jerk_g_s rise_ms snr_db confidence series grade"
    )
    names = [c.name for c in EVENT_COLUMNS]
    assert names[: len(contract.split())] == contract.split()  # what is added stands behind


def test_every_folder_is_in_the_table_of_the_architecture():
    page = (ROOT / "docs" / "architecture.md").read_text()
    package = ROOT / "src" / "twitchsense"
    names = [p.name + "/" for p in package.iterdir() if (p / "__init__.py").exists()]
    names += [p.name for p in package.glob("*.py") if p.name != "__init__.py"]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).exists(), target


def test_the_example_of_a_dialect_reads_its_file(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "captures.md").read_text()
    (file,) = re.findall(r"```text\n(MyLogger.*?)```", page, re.S)
    codes = re.findall(r"```python\n(from twitchsense.io.text.csv_dialect .*?)```", page, re.S)
    code = codes[0]
    names: dict[str, Any] = {}
    exec(compile(code, "captures.md", "exec"), names)
    monkeypatch.setattr(dialects, "DIALECTS", (names["my_logger"], *dialects.DIALECTS))
    (tmp_path / "as_shown.csv").write_text(file)
    assert read(tmp_path / "as_shown.csv").channels[0].fs == 500
    (tmp_path / "one_line.csv").write_text("MyLogger 1.2\n")
    with pytest.raises(InputError, match="skip_rows"):
        read(tmp_path / "one_line.csv")
    rows = [f"{2 * k};{0.01 * (k % 9):.3f};97\n" for k in range(4, 200)]
    (tmp_path / "x.csv").write_text(file + "".join(rows))
    recording = read(tmp_path / "x.csv")
    assert recording.channels[0].fs == 500
    assert recording.window("emg1", 0, 3_000_000)[1].tolist() == [[12.0], [13.0]]
    assert recording.notes[0] == "x.csv: read as MyLogger"


def test_the_example_of_a_dialect_with_a_rate_and_counts_reads_its_file(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "captures.md").read_text()
    (file,) = re.findall(r"```text\n(CountLogger.*?)```", page, re.S)
    code = re.findall(r"```python\n(import re\n.*?)```", page, re.S)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "captures.md", "exec"), names)
    monkeypatch.setattr(dialects, "DIALECTS", (names["count_logger"], *dialects.DIALECTS))
    (tmp_path / "x.csv").write_text(file)
    recording = read(tmp_path / "x.csv")
    assert recording.channels[0].fs == 500
    assert recording.window("emg1", 0, 3_000_000)[1].tolist() == [[1.0], [6.5]]


def test_the_example_of_a_dialect_with_a_date_in_its_header_reads_its_file(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "captures.md").read_text()
    (file,) = re.findall(r"```text\n(NightLogger.*?)```", page, re.S)
    code = re.findall(r"```python\n(import pandas as pd\n.*?)```", page, re.S)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "captures.md", "exec"), names)
    monkeypatch.setattr(dialects, "DIALECTS", (names["night_logger"], *dialects.DIALECTS))
    day = pd.Timestamp("2026-03-01T23:57:00")
    after = [day + pd.Timedelta(hours=0.1, milliseconds=2 * k) for k in range(200)]
    rows = [f"{t:%H:%M:%S},{t.microsecond // 1000:03d};0,013;97\n" for t in after]
    (tmp_path / "x.csv").write_text(file + "".join(rows))
    recording = read(tmp_path / "x.csv", zone="Europe/Berlin")
    assert recording.start_utc_ns == pd.Timestamp("2026-03-01T22:57:00Z").value
    assert [s.start_ns for s in recording.segments] == [0, 360 * 10**9]
    # the header says when logging was started, the first row is of the next day
    later = file.replace("23:57:00\n", "23:59:59\n").replace("23:57:00", "00:00:01")
    (tmp_path / "x.csv").write_text(later)
    recording = read(tmp_path / "x.csv", zone="Europe/Berlin")
    assert recording.start_utc_ns == pd.Timestamp("2026-03-01T23:00:01Z").value


def test_glossary_has_every_column_of_the_weeks():
    from twitchsense.trend.association import ASSOCIATION_COLUMNS, Association

    assert list(ASSOCIATION_COLUMNS) == list(Association.__dataclass_fields__)


def test_cohort_page_has_every_column_of_a_list_and_every_table():
    from twitchsense.cohort.dataset import TABLES
    from twitchsense.cohort.manifest import COLUMNS

    page = (ROOT / "docs" / "cohort.md").read_text()
    assert all(f"`{name}`" in page for name in (*COLUMNS, *TABLES))


def test_every_page_is_on_the_site():
    entries = ["index", *(ROOT / "docs" / "index.md").read_text().splitlines()]
    for page in [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "notebooks").glob("*.md")]:
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        assert any(fnmatch(name, entry) for entry in entries), page.name


def test_readme_has_two_commands_of_one_line_each():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert [b.strip().count("\n") for b in blocks[:2]] == [0, 0]
    assert "twitchsense demo" in blocks[0]
    assert "pytest" in blocks[1]


def test_the_questions_name_the_same_causes_as_the_report():
    from twitchsense.report.static_text import CAUSES

    page = (ROOT / "docs" / "faq.md").read_text()
    assert [cause for cause in CAUSES if f"- {cause}\n" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_on_the_pages_exist_with_their_options(page):
    from twitchsense.cli.app import main

    text = page.read_text()
    lines = [ln for block in re.findall(r"```(?:sh|text)\n(.*?)```", text, re.S)
             for ln in block.splitlines()]  # fmt: skip
    found = re.findall(r"`(twitchsense [a-z][^`]*)`", text)
    found += [ln for ln in lines if ln.startswith("twitchsense ")]
    for line in found:
        _, name, *words = line.split("#")[0].split()
        command = main.get_command(click.Context(main), name)
        assert command is not None, line
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        assert [w for w in words if w.startswith("--") and w not in known | {"--help"}] == [], line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_scripts_named_on_the_pages_exist(page):
    text = page.read_text()
    for module in re.findall(r"python -m (benchmarks(?:\.\w+)+)", text):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for script in re.findall(r"python ((?:benchmarks|docs)/\w+\.py)", text):
        assert (ROOT / script).exists(), script
    for test in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text):
        assert (ROOT / test).exists(), test
