"""Result directories of synthetic nights: only the summary, the one file that `trend` reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

FIRST = date(2026, 3, 1)


def write_night(folder, name, evening=None, *, counts=(80, 10, 40), hours=7.0, zone="Europe/Berlin",
                start="22:30", sha=None, settings="a", rules=None):  # fmt: skip
    """Write the summary of a night that began on an evening at a UTC time."""
    start_ns = None
    if evening is not None:
        moment = datetime.fromisoformat(f"{evening}T{start}").replace(tzinfo=UTC)
        start_ns = int(moment.timestamp() * 1e9)
    kinds = zip(("twitch", "jerk", "movement"), counts, strict=True)
    facts = {
        "sleep_onset": {"time_s": None, "low_s": None, "high_s": None, "source": "none"},
        "by_kind": {k: {"count": n, "hours": hours} for k, n in kinds},
        "valid_s": {"emg1": hours * 3600},
        "clock": {
            "start_utc_ns": start_ns,
            "zone": zone,
            "channels": {"emg1": {"start_s": 0.0}},
        },
        "notes": [],
        "provenance": {
            "sha256": sha if sha is not None else name,
            "settings": settings,
            "rules": rules,
            "versions": {"twitchsense": "1"},
        },
    }
    path = folder / name
    path.mkdir(parents=True)
    (path / "summary.json").write_text(json.dumps(facts))
    return path


def evening(k):
    return FIRST + timedelta(days=k)
