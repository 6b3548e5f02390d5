"""Every setting changes some result: one case or more for each, on short inputs.

A new setting without a case fails `test_every_setting_has_a_case`.
"""

from __future__ import annotations

import logging
import signal

import pytest

from tests.settings import detector_cases, file_cases, scoring_cases
from tests.settings.case import choices, setting_keys, value_of
from twitchsense.settings import Settings

CASES = (*detector_cases.CASES, *scoring_cases.CASES, *file_cases.CASES)


@pytest.fixture(autouse=True, scope="module")
def _logging_and_signals_as_before():
    """Undo what the command line sets up."""
    yield
    logger = logging.getLogger("twitchsense")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_another_value_changes_the_result(case):
    before, after = case.settings
    assert case.before != case.after
    assert (case.result(before), case.result(after)) == (case.before, case.after)


def test_every_setting_has_a_case():
    assert {case.key for case in CASES} == set(setting_keys())


def test_both_limits_of_every_range_have_a_case():
    changed: dict[str, set[int]] = {}
    for case in CASES:
        before, after = (case.of(settings) for settings in case.settings)
        if isinstance(before, tuple):
            ends = {i for i in range(len(before)) if before[i] != after[i]}
            changed.setdefault(case.key, set()).update(ends)
    ranges = [key for key in setting_keys() if isinstance(value_of(Settings(), key), tuple)]
    assert changed == {key: {0, 1} for key in ranges}


def test_every_choice_has_a_case():
    for key in setting_keys():
        cases = [case for case in CASES if case.key == key]
        tried = [case.of(settings) for case in cases for settings in case.settings]
        assert [choice for choice in choices(key) if choice not in tried] == [], key
