"""What counts as found, missed and false in the accuracy benchmark."""

from __future__ import annotations

import pandas as pd

from benchmarks.accuracy.score import Score, score


def truth(*rows):
    names = ("onset", "duration", "trial_type", "kind", "amplitude_uv", "snr", "under", "tolerated")
    return pd.DataFrame(rows, columns=names)


def events(*rows):
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type", "confidence"])


def rejected(*rows):
    return pd.DataFrame(rows, columns=["onset", "reason"])


TRUTH = truth(
    (10.0, 0.02, "twitch", "single", 100.0, 30.0, "", ""),
    (20.0, 0.02, "twitch", "single", 60.0, 10.0, "", ""),
    (30.0, 0.02, "twitch", "single", 40.0, 8.0, "", ""),  # too small to count
    (40.0, 0.02, "twitch", "single", 90.0, 30.0, "dropout", ""),  # nobody could see it
    (50.0, 0.10, "jerk", "hypnic_jerk", 300.0, 60.0, "", ""),
    (60.0, 5.00, "artifact", "tonic", 50.0, 10.0, "", ""),
    (80.0, 3.00, "artifact", "voluntary", 400.0, 90.0, "", "movement"),
)


def test_every_row_counts_as_the_module_says():
    found = events(
        (10.001, 0.02, "twitch", 0.9), (30.0, 0.02, "twitch", 0.5), (50.0, 0.1, "twitch", 0.6),
        (62.0, 0.02, "twitch", 0.4), (80.5, 2.0, "movement", 0.7), (90.0, 0.02, "twitch", 0.3),
    )  # fmt: skip
    counts, alarms, misses = score(found, rejected((20.01, "too_small")), TRUTH, 1.0)
    assert counts.truth == {"twitch": 2, "clear twitch": 1, "jerk": 1, "movement": 0}
    assert counts.hit == {"twitch": 1, "clear twitch": 1, "jerk": 0, "movement": 0}
    assert counts.found == {"twitch": 5, "jerk": 0, "movement": 0}
    assert counts.false == {"twitch": 3, "jerk": 0, "movement": 0}
    assert counts.swapped == (0, 1)
    assert list(alarms.cause) == ["none", "tonic", "none"]
    assert list(misses.reason) == ["too_small", ""]


def test_pooling_adds():
    one, _, _ = score(events((10.0, 0.02, "twitch", 0.9)), rejected(), TRUTH, 1.0)
    both = sum([one, one], Score())
    assert (both.hours, both.truth["twitch"], both.hit["twitch"]) == (2.0, 4, 2)
