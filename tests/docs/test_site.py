"""The docs site: landing page, anchors of links, units and container of the Raspberry Pi page."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import click
import pytest

from twitchsense.cli.app import VERBS, main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PI = DOCS / "examples" / "raspberry_pi"


def heading_slugs(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and myst-parser make them."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    slugs = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slugs.add(re.sub(r"[^\w\- ]", "", bare.lower()).strip().replace(" ", "-"))
    return slugs


def test_landing_page_has_a_picture_the_first_steps_and_four_readers():
    page = (DOCS / "index.md").read_text("utf-8")
    assert "figures/report.png" in page
    assert 'pip install ".[all]"' in page
    assert "twitchsense demo" in page
    cards = re.findall(r"grid-item-card} (.+)\n:link: (\S+)", page)
    assert [title for title, _ in cards] == [
        "I record myself", "I have data", "I compare scorers", "I build a device or a detector",
    ]  # fmt: skip
    assert all((DOCS / f"{link}.md").exists() for _, link in cards)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_links_lead_to_headings(page):
    for target, anchor in re.findall(r"\]\(([^)#:]*\.md)?#([^)]+)\)", page.read_text("utf-8")):
        there = page.parent / target if target else page
        assert anchor in heading_slugs(there), f"{target}#{anchor}"


def test_every_command_is_in_the_reference():
    page = (DOCS / "commands.md").read_text("utf-8")
    assert ".. click:: twitchsense.cli.app:main" in page
    assert main.list_commands(click.Context(main)) == list(VERBS)


def test_units_start_commands_that_exist_with_their_options():
    service = configparser.RawConfigParser(strict=False, interpolation=None)
    service.optionxform = str
    service.read(PI / "twitchsense-record.service")
    commands = [service["Service"][key] for key in ("ExecStart", "ExecStopPost")]
    for line, verb in zip(commands, ("record", "analyze"), strict=True):
        words = shlex.split(shlex.split(line)[-1])
        name, *options = words[words.index("/opt/twitchsense/bin/twitchsense") + 1 :]
        assert name == verb
        command = main.get_command(click.Context(main), name)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in options if word.startswith("--")} <= known
    timer = configparser.RawConfigParser(interpolation=None)
    timer.read(PI / "twitchsense-record.timer")
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", timer["Timer"]["OnCalendar"])


def test_container_installs_extras_that_exist():
    from twitchsense.cli.doctor import EXTRAS

    text = (PI / "Containerfile").read_text("utf-8")
    (extras,) = re.findall(r"/src\[([\w,]+)\]", text)
    assert set(extras.split(",")) <= set(EXTRAS)
    assert 'ENTRYPOINT ["twitchsense"]' in text
