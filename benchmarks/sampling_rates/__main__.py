"""How the sampling rate changes what is measured and found.

    python -m benchmarks.sampling_rates --data FOLDER --openhdemg FOLDER [--minutes 10]
        [--seeds 1] [--rows FILE.csv] [--page docs/sampling-rates.md]

The same recordings (`originals`) are made slower as devices do it (`slower`) and analysed at every
rate.  Sizes and times are compared, event by event, with those that the detector measures at 4000
and 500 Hz; what is found is compared with the truth.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from benchmarks.accuracy.cache import add_options
from benchmarks.accuracy.score import detect, score
from benchmarks.sampling_rates.originals import ACC_HZ, EMG_HZ, ORIGINS
from benchmarks.sampling_rates.page import page, tables
from benchmarks.sampling_rates.slower import slower

#: Sampling rates compared, Hz. While one sensor is slowed down, the other has its usual rate.
EMG_RATES = (2000.0, 1000.0, 500.0, 250.0, 200.0)
ACC_RATES = (200.0, 100.0, 64.0, 52.0, 50.0, 25.0)
USUAL_HZ = (1000.0, 100.0)
#: Greatest distance of a measured onset from the true one, s.
NEAR_S = 0.06
MEASURES = ("amplitude_uv", "duration", "onset", "rise_ms", "peak_g", "jerk_g_s")


def settings() -> list[tuple[str, float, float, bool]]:
    """Return what is compared: sensor, EMG rate, acceleration rate, soft filter."""
    both = [("reference", EMG_HZ, ACC_HZ, False)]
    both += [("emg", fs, USUAL_HZ[1], soft) for fs in EMG_RATES for soft in (False, True)]
    both += [("acc", USUAL_HZ[0], fs, soft) for fs in ACC_RATES for soft in (False, True)]
    return both


def examine(job: tuple[str, int, float, Path, Path]) -> pd.DataFrame:
    """Return one row per true event and setting."""
    origin, seed, minutes, data, openhdemg = job
    arrays, truth = ORIGINS[origin](seed, minutes, data, openhdemg)
    truth = truth.reset_index(drop=True)
    rows = []
    for sensor, emg_hz, acc_hz, soft in settings():
        events, rejected, _ = detect(slower(arrays, emg_hz, acc_hz, soft=soft))
        scored = score(events, truth, rejected)
        targets = scored.targets[scored.targets.needed.astype(bool)]
        targets = targets[targets.trial_type.isin(("twitch", "jerk")) & ~targets.in_activity]
        false = scored.events[scored.events.verdict == "false"].trial_type.value_counts()
        seen = pd.concat([events, rejected], ignore_index=True)
        found = measured(targets, seen, events)
        rows.append(
            found.assign(
                sensor=sensor, fs=acc_hz if sensor == "acc" else emg_hz, soft=soft, origin=origin,
                seed=seed, minutes=minutes, false_twitches=false.get("twitch", 0),
                false_jerks=false.get("jerk", 0),
            )
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def measured(targets: pd.DataFrame, seen: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return what was measured at each true event, whether or not it was taken for one.

    Of a jerk, only an event of its kind counts: what is rejected has no response of the leg.
    """
    rows = []
    for t in targets.itertuples():
        table = events[events.trial_type == "jerk"] if t.trial_type == "jerk" else seen
        table = table[table.amplitude_uv.notna()]
        away = (table.onset - t.onset).abs()
        row = {"row": t.Index, "kind": t.trial_type, "hit": bool(t.hit), "called": t.called,
               "true_s": t.duration, "true_uv": t.amplitude_uv, "true_g": t.peak_g,
               "snr": t.snr, "reason": t.reason}  # fmt: skip
        if len(away) and away.min() < NEAR_S:
            nearest = table.loc[away.idxmin()]
            row |= {name: float(nearest[name]) for name in MEASURES}
            row["grade"] = str(nearest["grade"])
        rows.append(row)
    columns = ["row", "kind", "hit", "called", "true_s", "true_uv", "true_g", "snr", "reason",
               *MEASURES, "grade"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--minutes", type=float, default=10.0, help="length of each recording")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rows", type=Path, help="keep every event of every setting here")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    jobs = [
        (origin, seed, args.minutes, args.data, args.openhdemg)
        for seed in args.seeds
        for origin in ORIGINS
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = pd.concat(pool.map(examine, jobs), ignore_index=True)
    if args.rows:
        rows.to_csv(args.rows, index=False)
    hours = args.minutes / 60 * len(jobs)
    print(tables(rows))
    if args.page:
        args.page.write_text(page(rows, hours), encoding="utf-8")


if __name__ == "__main__":
    main()
