"""The table of rules names every rule and every reason of the detector, in order."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

import twitchsense.detect
from twitchsense.detect.rules.rule_order import CLUSTER_RULES, NIGHT_RULES, OVERRULABLE
from twitchsense.detect.rules.sequence_rules import RULES
from twitchsense.model.event_table import REJECT_REASONS


def reasons_in_the_code():
    """Return the reasons that occur as string constants in the modules of the detector."""
    found = set()
    for path in Path(twitchsense.detect.__file__).parent.rglob("*.py"):
        if path.stem == "rule_order":
            continue
        constants = (
            n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)
        )
        found |= {n.value for n in constants if n.value in REJECT_REASONS}
    return found


def reasons_of(rules):
    return set(chain.from_iterable(rule.reasons for rule in rules))


def test_rules_of_the_night_are_those_of_the_table_in_its_order():
    assert list(RULES) == [rule.name for rule in NIGHT_RULES]


def test_every_reason_of_the_table_is_in_the_glossary():
    assert reasons_of(CLUSTER_RULES + NIGHT_RULES) == set(REJECT_REASONS)


def test_the_table_names_the_reasons_that_the_code_gives():
    assert reasons_in_the_code() == reasons_of(CLUSTER_RULES + NIGHT_RULES)


def test_a_rule_overrules_only_reasons_of_earlier_rules():
    earlier: set[str] = set()
    for rule in (*CLUSTER_RULES, *NIGHT_RULES):
        assert set(rule.overrules) <= earlier, rule.name
        earlier |= set(rule.reasons)


def test_classifiers_overrule_what_is_overrulable():
    overruled = [r.overrules for r in NIGHT_RULES if r.name.startswith("classify_")]
    assert overruled == [tuple(reason for reason in OVERRULABLE if reason)] * 2
