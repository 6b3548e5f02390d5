"""The words of messages, help and pages: no phrases that puzzled readers, few long sentences."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import click

from tests.retired_phrases import RETIRED
from twitchsense.cli.app import VERBS, main

ROOT = Path(__file__).parents[1]
MAX_LONG_SHARE = 0.05


def text_of(node):
    """Return the text of a string, with X for each value of an f-string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        v.value if isinstance(v, ast.Constant) and isinstance(v.value, str) else "X"
        for v in node.values
    )


@cache
def messages():
    """Return the strings of the program that are sentences, without docstrings, by their place."""
    found = {}
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "firmware_sim").rglob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        skipped = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr):  # docstrings
                skipped.add(id(node.value))
            if isinstance(node, ast.JoinedStr):
                skipped.update(id(value) for value in node.values)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in skipped:
                text = " ".join(text_of(node).split())
                if text.count(" ") >= 2:
                    found[f"{path.relative_to(ROOT)}:{node.lineno}"] = text
    for path in (ROOT / "src").rglob("templates/*"):
        if path.suffix in (".j2", ".js"):
            found[str(path.relative_to(ROOT))] = " ".join(path.read_text("utf-8").split())
    return found


@cache
def help_pages():
    context = click.Context(main, info_name="twitchsense")
    pages = {"": main.get_help(context)}
    for verb in VERBS:
        command = main.get_command(context, verb)
        pages[verb] = command.get_help(click.Context(command, info_name=verb, parent=context))
    return {verb: " ".join(text.split()) for verb, text in pages.items()}


def test_retired_phrases_are_in_no_message_and_no_help():
    texts = {**messages(), **{f"help of {v or 'twitchsense'}": t for v, t in help_pages().items()}}
    assert len(texts) > 500
    found = {
        place: phrase
        for place, text in texts.items()
        for phrase in RETIRED
        if phrase in text.lower()
    }
    assert found == {}


def test_few_sentences_of_messages_are_long():
    sentences = [
        sentence
        for place, text in messages().items()
        if place.endswith(tuple("0123456789")) and text[:1].isalpha()
        for sentence in re.split(r"(?<=[.!?;:])\s+", text)
    ]
    long = [s for s in sentences if sum(re.search(r"\w", w) is not None for w in s.split()) > 30]
    assert len(long) < MAX_LONG_SHARE * len(sentences), long


def test_help_fits_80_columns():
    context = click.Context(main, info_name="twitchsense", terminal_width=80)
    for verb in VERBS:
        command = main.get_command(context, verb)
        shown = command.get_help(
            click.Context(command, info_name=verb, parent=context, terminal_width=80)
        )
        assert max(map(len, shown.splitlines())) <= 80, verb
