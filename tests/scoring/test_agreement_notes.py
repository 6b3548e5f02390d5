"""Notes on two lists of events that cannot match, by kind, leg or time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twitchsense.scoring.agreement.compare_events import match


@pytest.mark.parametrize(
    ("events", "truth", "says"),
    [
        ({"trial_type": ["twitch", "movement"]}, {}, "truth: names no kind and is compared with "
         "rows of all kinds (twitch, movement)"),
        ({"trial_type": ["twitch", "movement"]}, {"trial_type": ["", ""]}, "truth: names no kind"),
        ({}, {"trial_type": ["twitch", "movement"]}, "events: names no kind"),
        ({"trial_type": "movement"}, {}, ""),
        ({"trial_type": "movement"}, {"trial_type": ["PLM", "movement"]}, "truth: 1 of 2 rows are "
         "of a kind that is unknown and not in the other table (PLM)"),
        ({"trial_type": "movement"}, {"trial_type": "jerk"}, ""),
        ({"trial_type": "PLM"}, {"trial_type": "PLM"}, ""),
        ({"leg": "left"}, {"leg": "right"}, "truth: every row is on the right leg and every event "
         "on the left leg"),
        ({"leg": ["left", "right"]}, {"leg": "right"}, ""),
        ({"leg": "left"}, {"leg": ["", "right"]}, ""),
    ],
)  # fmt: skip
def test_notes_say_why_rows_cannot_match(events, truth, says):
    times = pd.DataFrame({"onset": [0.0, 9.0], "duration": [1.0, 1.0]})
    got = match(times.assign(**events), times.assign(**truth))
    assert len(got.notes) == bool(says)
    assert got.to_dict()["notes"] == list(got.notes)
    assert says in "".join(got.notes)


def forty(shift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    onset = np.sort(np.random.default_rng(seed).uniform(0, 600, 40)) + shift
    return pd.DataFrame({"onset": onset, "duration": 0.05, "trial_type": "twitch"})


@pytest.mark.parametrize(
    ("truth", "says"),
    [
        (forty(0.1), []),
        (forty(-0.11), ["with +0.11 s added to every onset of truth, 40 of 40 rows would match, "
                        "now 1: correct the onsets, or give --tolerance"]),
        (forty(3600), ["the lists do not overlap in time: events 1.6 to 598.4 s, truth "
                       "3601.6 to 4198.4 s; give", "with -3600.00 s added to every onset of "]),
        (forty(9000, seed=1), ["the lists do not overlap in time"]),
        (forty(seed=1).iloc[20:23], ["nothing matches: from a row of truth to the nearest event "]),
    ],
    ids=["fits", "cursor", "other clock", "other night", "nothing"],
)  # fmt: skip
def test_notes_say_why_times_do_not_match(truth, says):
    for order in (slice(None), slice(None, None, -1)):
        got = match(forty()[order], truth[order])
        assert len(got.notes) == len(says)
        for note, words in zip(got.notes, says, strict=True):
            assert words in note
    if len(says) > 1:
        swapped = match(truth, forty())
        assert "with +3600.00 s added to every onset of truth, 40 of 40" in swapped.notes[1]
        assert len(match(forty(), truth.assign(onset=truth["onset"] - 3600)).pairs) == 40


def test_the_shift_is_found_of_lists_of_different_lengths():
    some = forty(7.25, seed=3).iloc[::3].sample(frac=1, random_state=0)
    (note,) = match(forty(seed=3), some).notes
    assert "with -7.25 s added to every onset of truth, 14 of 14 rows would match, now " in note
    (note,) = match(some, forty(seed=3)).notes
    assert "with +7.25 s added to every onset of truth, 14 of 40 rows would match, now " in note


def test_the_shift_is_told_of_a_kind_that_does_not_overlap():
    long = forty(seed=5).assign(duration=20.0, trial_type="movement")
    lists = [
        pd.concat([forty(shift), long.assign(onset=long["onset"] + shift)]) for shift in (0, 3)
    ]
    got = match(*lists)
    assert got.table().set_index("kind")["tp"]["movement"] == 40
    assert got.notes[0].startswith("twitch: with -3.00 s added to every onset of truth, 40 of 40")
    assert len(got.notes) == 1
    assert not match(lists[0], pd.concat([forty(), long.iloc[:20]])).notes


def test_a_shift_that_fits_by_chance_is_not_named():
    rng = np.random.default_rng(0)
    dense = [pd.DataFrame({"onset": np.sort(rng.uniform(a, a + 99, 900)), "duration": 0.1,
                           "trial_type": "movement"}) for a in (0, 1000)]  # fmt: skip
    (note,) = match(*dense).notes
    assert "do not overlap in time" in note
