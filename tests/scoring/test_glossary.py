"""The texts of the event table state the limits that are applied."""

from __future__ import annotations

import re
import string

import pytest
from pydantic import BaseModel

from twitchsense.detect.candidates.burst_measures import RISEN_SHARE, WINDOW_S
from twitchsense.detect.rules import activity_rules
from twitchsense.dsp.filters import BURST_BAND_HZ, DYNAMIC_BAND_HZ, LEG_MOVEMENT_BAND_HZ
from twitchsense.model.event_table import (
    CONTEXTS,
    EVENT_COLUMNS,
    GRADES,
    LABELS,
    REJECT_REASONS,
    TRIAL_TYPES,
)
from twitchsense.scoring.glossary import fill_levels, fill_limits, glossary
from twitchsense.scoring.labels.label_rules import RULES
from twitchsense.settings import PROFILES, Settings, get_profile
from twitchsense.settings.detection import AccSettings, EmgSettings, MovementSettings

LEVELS = {"kind": TRIAL_TYPES, "context": CONTEXTS, "label": LABELS, "grade": GRADES,
          "reason": REJECT_REASONS}  # fmt: skip
TEXTS = {
    **{f"{group} {name}": LEVELS[group][name] for group in LEVELS for name in LEVELS[group]},
    **{f"column {column.name}": column.description for column in EVENT_COLUMNS},
    **{f"rule {i} {rule.label}": rule.condition for i, rule in enumerate(RULES)},
}
#: Digits of the texts that are no limits: names, and the range of a probability.
NO_LIMITS = ("N1", "0 to 1", "plm-2")


def placeholders(text):
    """Return the names and format specifications in a text."""
    return [(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name]


def odd_settings():
    """Return settings in which every number differs from its default, and from each other."""
    groups, n = {}, 0
    for group, value in Settings():
        if isinstance(value, BaseModel):
            numbers = {}
            for key, default in value:
                n += 1
                if isinstance(default, bool | str):
                    continue
                if isinstance(default, int):
                    numbers[key] = 200 + n
                elif isinstance(default, tuple):
                    numbers[key] = (1000.5 + n, 2000.5 + n)
                elif key in ("noise_p",):
                    numbers[key] = 0.00123
                elif key in ("floor_quantile", "alma_share", "rock_share", "active_share"):
                    numbers[key] = 0.61 + n / 1000
                else:
                    numbers[key] = 3000.5 + n
            groups[group] = numbers
    return Settings.model_validate(groups)


ODD = odd_settings()


def test_odd_settings_differ_from_the_defaults_in_every_number():
    for group, value in Settings():
        if isinstance(value, BaseModel):
            for key, default in value:
                if not isinstance(default, bool | str):
                    assert getattr(getattr(ODD, group), key) != default, f"{group}.{key}"


@pytest.mark.parametrize("name", TEXTS)
def test_text_contains_no_literal_number(name):
    text = re.sub(r"\{[^}]*\}", "", TEXTS[name])
    for allowed in NO_LIMITS:
        text = text.replace(allowed, "")
    assert not re.search(r"\d", text), TEXTS[name]
    number_words = r"\b(two|three|four|five|ten|half|third|quarter|fifth)\b"
    assert not re.search(number_words, text), TEXTS[name]


@pytest.mark.parametrize("name", [n for n, text in TEXTS.items() if placeholders(text)])
def test_text_follows_the_settings(name):
    usual, odd = (fill_limits(TEXTS[name], settings) for settings in (Settings(), ODD))
    assert "{" not in usual + odd
    from_settings = [
        (field, spec)
        for field, spec in placeholders(TEXTS[name])
        if not field.startswith(("fixed.", "limb_rules."))
    ]
    for field, spec in from_settings:
        group, key = field.split(".")
        value = getattr(getattr(ODD, group), key)
        numbers = value if isinstance(value, tuple) else (value,)
        factor = {"ms": 1000, "%": 100}.get(spec, 1)
        assert all(f"{number * factor:g}" in odd for number in numbers), field
        assert usual != odd


@pytest.mark.parametrize("profile", PROFILES)
def test_limits_of_leg_movements_are_those_of_the_rules(profile):
    labels = fill_levels(LABELS, get_profile(profile))
    shortest = "5" if profile == "aasm-2026" else "10"
    assert f"{shortest}-90 s" in labels["periodic_leg_movement_like"]
    assert f"less than {shortest} s" in labels["short_interval_leg_movement"]
    assert ("AASM" in labels["leg_movement"]) == (profile == "aasm-2026")


def test_rise_is_measured_to_the_share_that_the_text_states(monkeypatch):
    described = glossary(Settings())["rise_ms"]["Description"]
    assert f"{100 * RISEN_SHARE:g} % of the peak" in described
    assert f"{1000 * WINDOW_S:g}-ms" in described
    monkeypatch.setattr("twitchsense.detect.candidates.burst_measures.RISEN_SHARE", 0.37)
    assert "37 % of the peak" in glossary(Settings())["rise_ms"]["Description"]


def test_bands_are_those_of_the_filters():
    entries = glossary(Settings())
    low, high = BURST_BAND_HZ
    assert f"({low:g}-{high:g} Hz)" in entries["amplitude_uv"]["Description"]
    low, high = DYNAMIC_BAND_HZ
    assert f"({low:g}-{high:g} Hz," in entries["peak_g"]["Description"]


def test_bands_in_the_descriptions_of_settings_are_those_of_the_filters():
    for model, (low, high) in (
        (EmgSettings, BURST_BAND_HZ),
        (AccSettings, DYNAMIC_BAND_HZ),
        (MovementSettings, LEG_MOVEMENT_BAND_HZ),
    ):
        assert f"{low:g}-{high:g} Hz" in (model.__doc__ or "")


def test_window_of_active_wake_is_that_of_the_detector(monkeypatch):
    monkeypatch.setattr(activity_rules, "ACTIVE_S", 45.5)
    assert "20 % of the 91 s" in fill_levels(REJECT_REASONS, Settings())["active_wake"]


def test_numbers_of_the_default_profile():
    kinds = fill_levels(TRIAL_TYPES, Settings())
    assert "5-150 ms" in kinds["twitch"]
    assert "150-500 ms" in kinds["brief_contraction"]
    assert "at least 0.1 g" in kinds["jerk"]
    assert "50/60 Hz" in fill_levels(REJECT_REASONS, Settings())["mains"]
    assert "0.3-0.5 g" in fill_levels(GRADES, Settings())["moderate"]
    rules = [fill_limits(rule.condition, Settings()) for rule in RULES]
    assert "member of a train at 3.5-18 Hz: 5 cycles, 2 s" in rules


def test_without_settings_limits_are_named():
    assert fill_limits("{twitch.max_ms}", None) == "<twitch.max_ms>"
    assert fill_limits("{trains.foot_ms} and {limb_rules.title}", None) == (
        "<trains.foot_ms> and <limb_rules.title>"
    )
    assert "50 % of the peak" in glossary(None)["rise_ms"]["Description"]


def test_glossary_has_description_unit_and_levels():
    entries = glossary(Settings())
    assert list(entries) == [*(column.name for column in EVENT_COLUMNS), "reason"]
    assert entries["peak_g"]["Units"] == "g"
    assert entries["label"]["Levels"].keys() == LABELS.keys()
    assert "Levels" not in entries["onset"]
