"""The prose of the docs: short sentences, and no phrases that puzzled readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from tests.retired_phrases import RETIRED
from twitchsense.cli.app import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ALL_PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
#: Pages for users; the decision records are for developers.
PAGES = [page for page in ALL_PAGES if page.parent.name != "adr"]

MAX_WORDS = 30
MAX_LONG_SHARE = 0.05
#: Long sentences that a page may have whatever its length.
ALLOWED_ON_A_PAGE = 3
MAX_LONG_SHARE_OF_A_PAGE = 0.18


def blocks(page: Path) -> Iterator[str]:
    """Yield the paragraphs and list items of a page, without code, tables and headings."""
    text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text("utf-8"), flags=re.S)
    text = re.sub(r"```.*?```|<!--.*?-->|!\[[^\]]*\]\([^)]*\)", "\n\n", text, flags=re.S)
    text = re.sub(r"^(\||#|:::|\s*[*+-] |\s*\d+\. ).*", lambda m: "\n" + m[0], text, flags=re.M)
    for block in re.split(r"\n\s*\n", text):
        if block.strip() and not re.match(r"\s*(\||#|:)", block):
            yield " ".join(re.sub(r"^\s*([*+-]|\d+\.) ", "", block).split())


def sentences(page: Path) -> Iterator[str]:
    for block in blocks(page):
        plain = re.sub(r"`[^`]*`", "CODE", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", block))
        yield from re.split(r"(?<=[.!?:])\s+(?=[A-Z\"“(*_])", plain)


def count_words(sentence: str) -> int:
    return sum(re.search(r"\w", word) is not None for word in sentence.split())


def test_few_sentences_are_long():
    total, long = 0, []
    crowded = {}
    for page in ALL_PAGES:
        found = list(sentences(page))
        too_long = [s for s in found if count_words(s) > MAX_WORDS]
        total += len(found)
        long += too_long
        if len(too_long) > max(ALLOWED_ON_A_PAGE, MAX_LONG_SHARE_OF_A_PAGE * len(found)):
            crowded[page.name] = too_long
    assert crowded == {}
    assert len(long) < MAX_LONG_SHARE * total


def test_few_sentences_of_the_commands_are_long():
    context = click.Context(main)
    commands = [main.get_command(context, name) for name in main.list_commands(context)]
    found = [
        sentence
        for command in commands
        for text in (command.help, *(getattr(p, "help", None) for p in command.params))
        for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z\"'])", " ".join((text or "").split()))
    ]
    too_long = [s for s in found if count_words(s) > MAX_WORDS]
    assert len(found) > 150
    assert len(too_long) < MAX_LONG_SHARE * len(found), too_long


def test_retired_phrases_do_not_return():
    for page in PAGES:
        text = " ".join(page.read_text("utf-8").lower().split())
        assert [phrase for phrase in RETIRED if phrase in text] == [], page.name


def test_counting_knows_the_end_of_a_sentence_lists_and_code(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading of six words here\n\nOne two `a b c` [four five](x.md). Six seven.\n\n"
        "* Eight nine\n* ten\n\n| a | b |\n\n```sh\nnot counted\n```\n"
    )
    assert [count_words(s) for s in sentences(page)] == [5, 2, 2, 1]
