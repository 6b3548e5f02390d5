"""Each field of the protocol, broken alone, turns the check red that is named for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware_sim.wearable import mutations
from firmware_sim.wearable.mutations import MUTATIONS
from tests.wearable.mutation_checks import CHECKS, first_failure, run_mutated

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()


def test_without_a_mutation_every_check_passes(tmp_path):
    run = run_mutated(tmp_path / "a.night")
    assert {name: check(run) for name, check in CHECKS.items()} == dict.fromkeys(CHECKS, "")
    assert len(run.true) > 1000


@pytest.mark.slow  # records a night for each mutation
@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_fails_its_check(name, tmp_path):
    mutation = MUTATIONS[name]
    check, said = first_failure(run_mutated(tmp_path / "a.night", name))
    assert check == mutation.check, said
    assert mutation.says in said
    assert mutation.says


def test_the_checks_are_those_of_the_page():
    assert list(CHECKS) == list(mutations.CHECKS)
    assert {m.check for m in MUTATIONS.values()} == set(CHECKS)


def test_every_field_of_the_protocol_has_a_mutation():
    assert fields_of(PAGE) == {m.field for m in MUTATIONS.values()}


# -- the fields of the page, read off its tables ------------------------------------------------


def fields_of(page):
    sections = dict(re.findall(r"^##+ (?:\d[.\d]*) (.*?)$(.*?)(?=^##|\Z)", page, re.M | re.S))
    heads = {"Services", "Info", "Frames", "Small MTU", "Control point"}
    assert heads <= set(sections)
    found = {f"service: {part}" for part in _services(sections["Services"])}
    found |= {f"info: {_name(row[2])}" for row in _rows(sections["Info"])}
    for row in _rows(sections["Frames"]):
        flags = re.findall(r"bit \d ([A-Z]+)", row[2])
        found |= {f"frame: {part}" for part in flags or [_name(row[2])]}
    # of a marker, what differs from other frames; it has no samples
    found |= {f"marker: {part}" for part in ("type", "count", "ticks")}
    for row in _rows(sections["Small MTU"]):
        found |= {f"fragment: {_name(part)}" for part in row[2].split("; ")}
    found |= _control(sections["Control point"])
    return found


def _services(text):
    rows = _rows(text)
    for row in rows:
        if row[0] == "device information":
            yield from re.findall(r"([a-z][a-z ]+) `0x", row[2].removeprefix("read: "))
        else:
            yield row[0]
    if "advertised name" in text:
        yield "name"


def _control(text):
    """Fields of requests, answers, STATE and the statuses."""
    found = set()
    (request,) = re.findall(r"Request: `(.*?)`", text)
    (answer,) = re.findall(r"Answer: `(.*?)`", text)
    for form, text_ in (("request", request), ("answer", answer)):
        names = {part.split()[0] for part in text_.split(",")} - {"arguments", "body"}
        found |= {f"{form}: {name}" for name in names}
    found.remove("request: op")  # each of them has its own
    (state,) = re.findall(r"STATE, 17 bytes: `(.*?)`", text)
    found |= {f"state: {name}" for name in _typed(re.sub(r"\(.*?\)", "", state))}
    if "ATT error" in text:
        found.add("control: att error")
    for row in _rows(text):
        if row[0].startswith("0x"):
            op = row[1].lower()
            found.add(f"op: {row[1]}")
            arguments = re.findall(r"bit \d ([A-Z ]+)", row[2])
            arguments += [name for name in _typed(row[2]) if name != "flags"]
            found |= {f"{op}: {name}" for name in arguments}
            here = f"{op} answer" if arguments else op
            found |= {f"{here}: {name}" for name in _typed(row[3])}
        else:
            found.add(f"status: {row[1]}")
    return found


def _rows(text):
    """Return the cells of all tables of a section, without heads."""
    lines = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    rules = [i for i, row in enumerate(cells) if set("".join(row)) == {"-"}]
    heads = set(rules) | {i - 1 for i in rules}
    return [row for i, row in enumerate(cells) if i not in heads]


def _typed(text):
    """Return the names before u8, u32 and the like."""
    return [name.strip() for name in re.findall(r"([a-z][a-z ]*) u\d+", text)]


def _name(cell):
    """Return the words a field begins with."""
    plain = re.sub(r"\*.*?\*", "", cell).replace("–", "-")
    return re.split(r"[:,;(]| in | of ", plain)[0].strip()
