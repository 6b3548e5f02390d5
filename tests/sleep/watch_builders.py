"""One night as watches, rings and mats write it: 10 min each of wake, N2, N3 and R."""

from __future__ import annotations

import json

OURA = {"bedtime_start": "2026-03-01T23:00:00+01:00", "type": "long_sleep",
        "sleep_phase_5_min": "44221133"}  # fmt: skip
THIRTY = "4" * 20 + "2" * 20 + "1" * 20 + "3" * 20
LEVELS = [("22:00", "22:10", 3.0), ("22:10", "22:20", 1.0), ("22:20", "22:30", 0.0),
          ("22:30", "22:40", 2.0)]  # fmt: skip
GARMIN = {
    "dailySleepDTO": {"calendarDate": "2026-03-02"},
    "sleepLevels": [
        {"startGMT": f"2026-03-01T{a}:00.0", "endGMT": f"2026-03-01T{b}:00.0", "activityLevel": n}
        for a, b, n in LEVELS
    ],
}
EPOCH = 1772402400  # 2026-03-01T22:00:00Z
GARMIN_MAP = {
    "sleepLevelsMap": {
        name: [{"startTimeInSeconds": EPOCH + 600 * k, "endTimeInSeconds": EPOCH + 600 * k + 600}]
        for k, name in enumerate(("awake", "light", "deep", "rem"))
    }
}
SERIES = [
    {"startdate": EPOCH + 600 * k, "enddate": EPOCH + 600 * k + 600, "state": state, "model": "x"}
    for k, state in enumerate((0, 1, 2, 3))
]
STATES = 'start,duration,value\n2026-03-01T23:00:00+01:00,"[600,600]","[0,1]"\n'
STATES += '2026-03-01T23:20:00+01:00,"[600,600]","[2,3]"\n'
OURA_CSV = "id;bedtime_start;sleep_phase_5_min;type\n"
OURA_CSV += "a;2026-03-01T23:00:00+01:00;44221133;long_sleep\n"
OURA_CSV += "b;2026-02-01T23:00:00+01:00;4444;long_sleep\n"
STORE_TIMES = [(f"2026-03-01T{a}:00Z", f"2026-03-01T{b}:00Z") for a, b, _ in LEVELS]
HEALTH_AUTO_EXPORT = [
    {"startDate": f"2026-03-01 23:{k}0:00 +0100", "endDate": f"2026-03-01 23:{k + 1}0:00 +0100",
     "value": stage, "source": "watch"}
    for k, stage in enumerate(("Awake", "Core", "Deep", "REM"))
] + [{"startDate": "2026-03-01 22:30:00 +0100", "endDate": "2026-03-01 23:50:00 +0100",
      "value": "In Bed", "source": "phone"}]  # fmt: skip
GOOGLE_FIT = {"fitnessActivity": "sleep", "startTime": STORE_TIMES[0][0],
              "endTime": STORE_TIMES[3][1], "segment": [
    {"fitnessActivity": f"sleep.{stage}", "startTime": a, "endTime": b}
    for (a, b), stage in zip(STORE_TIMES, ("awake", "light", "deep", "rem"), strict=True)
]}  # fmt: skip
FILES = {
    "Oura, API": json.dumps({"data": [OURA], "next_token": None}),
    "Oura, one": json.dumps(OURA),
    "Oura, 30 s": json.dumps([OURA | {"sleep_phase_30_sec": THIRTY}]),
    "Oura, first API": json.dumps(
        {"sleep": [{"bedtime_start": OURA["bedtime_start"], "hypnogram_5min": "44221133"}]}
    ),
    "Oura, CSV": OURA_CSV,
    "Oura, CSV with commas": OURA_CSV.replace(";", ","),
    "Garmin": json.dumps(GARMIN),
    "Garmin, list": json.dumps([GARMIN]),
    "Garmin, map": json.dumps(GARMIN_MAP),
    "Withings, API": json.dumps({"status": 0, "body": {"series": SERIES}}),
    "Withings, export": STATES,
    "Health Auto Export": json.dumps(
        {"data": {"metrics": [{"name": "sleep_analysis", "data": HEALTH_AUTO_EXPORT}]}}
    ),
    "Google Fit": json.dumps(GOOGLE_FIT),
    **{
        f"Health Connect, {type(stages[0]).__name__}": json.dumps(
            {
                "records": [
                    {
                        "startTime": STORE_TIMES[0][0],
                        "stages": [
                            {"startTime": a, "endTime": b, "stage": stage}
                            for (a, b), stage in zip(STORE_TIMES, stages, strict=True)
                        ],
                    }
                ]
            }
        )
        for stages in (
            (1, 4, 5, 6),
            tuple(f"STAGE_TYPE_{s}" for s in ("AWAKE", "LIGHT", "DEEP", "REM")),
        )
    },
    "Fitbit, table": "sleep_id,sleep_stage_type,start_utc_offset,sleep_stage_start,"
    "sleep_stage_end\n"
    + "".join(
        f"1,{s},+01:00,2026-03-01T{a}:00Z,2026-03-01T{b}:00Z\n"
        for (a, b, _), s in zip(LEVELS, ("AWAKE", "LIGHT", "DEEP", "REM"), strict=True)
    ),
}
