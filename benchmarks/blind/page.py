"""The page about recordings composed by others (docs/accuracy-blind.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

#: Goal of each row, pooled and for the worst family.
GOALS = {
    "twitch, from 15 times the noise": (0.98, 0.93),
    "twitch, all from 50 µV": (0.95, 0.88),
    "jerk": (0.96, 0.90),
    "jerk of 5 to 10 bursts": (0.95, None),
    "leg movement": (0.97, None),
    "twitch: precision": (0.97, None),
    "jerk: precision": (0.97, None),
    "movement: precision": (0.97, None),
}

INTRO = """\
# Accuracy on recordings composed by others

Made by `python -m benchmarks.blind`. {n_kits} kits were each written from the definitions alone,
by an examiner who had seen neither the detector nor our own benchmark. Each has its own physics and
waveforms. `kit_a` is a volume-conductor model with a leg that swings, and `kit_b` is put together
from real waveforms. `kit_c` draws waveforms from wide parametric families and records them with
devices on sale. `kit_d` models fibres, electrodes and a two-link leg, and `kit_e` 18 sleepers with
a leg on a mattress and 14 amplifiers. A kit is frozen before the detector first sees it.

**`kit_a` to `kit_c` are training data**: the models learn from their recordings of seeds 101 to
103, and limits were chosen on them. The figures here are of other seeds, but of the same waveforms.
`kit_d` and `kit_e` are training data too, but only for the models of short bursts.
The column "before" of `kit_a` to `kit_d` is the detector before any kit was
written, that of `kit_e` the one before the models learned from several composers.

{hours:.1f} h, seeds {seeds}. A jerk may have several bursts and is one event. Twitches within
walking or voluntary contraction are not needed and have a row of their own. Families of storms,
noise, low rates, missing sensors and coincidences on purpose are all in the pool.
"""

LIMITS = """\
## Models of several composers

Until now the models had learned from our own composer alone. Now they also learn from `kit_a` to
`kit_c`, a tenth of the weight each, and from two families that a user's recordings called for:
contractions whose EMG is a Gaussian interference pattern, and units that fire one to five times in
a row. The models of slow devices (below 800 Hz) learned anew too, but for their second stage. On
the two kits that taught nothing, the change of the models alone, seed 1:

| | kit_d before | kit_d now | kit_e before | kit_e now |
|---|---|---|---|---|
| clear twitches found | 0.901 | 0.915 | 0.870 | 0.881 |
| false twitches an hour | 6.8 | 5.1 | 16.2 | 12.9 |
| jerks found | 0.913 | 0.913 | 0.814 | 0.819 |
| false jerks an hour | 1.6 | 1.2 | 0.9 | 0.5 |
| leg movements found | 0.959 | 0.959 | 0.879 | 0.885 |
| false leg movements an hour | 2.2 | 2.2 | 1.3 | 1.3 |

Then the models of short bursts learned from `kit_d` and `kit_e` too (seeds 101 to 103). Each
candidate of a kit has twice the weight of one of ours in the first stage, and the same in the
second. Potentials and artefacts accepted by the first stage, from 1000 Hz on, with a composer left
out:

| left out | potentials | by the others | by our own | artefacts | by the others | by our own |
|---|---|---|---|---|---|---|
| kit_a | 3109 | 3015 | 2686 | 473 | 130 | 150 |
| kit_b | 3410 | 3143 | 2871 | 1753 | 85 | 132 |
| kit_c | 2411 | 2193 | 2062 | 1949 | 142 | 130 |
| kit_d | 3310 | 3234 | 2872 | 648 | 105 | 138 |
| kit_e | 2709 | 2675 | 2444 | 1254 | 193 | 213 |

What remains cannot be decided from one channel: `pop_slip` of `kit_e` is a smooth bump of 2 to 15
ms to one side, and so is a compound potential. `pop_ring` of `kit_a` has the waveform of a
polyphasic unit (28 of 30 accepted, left out), and `double_exp` of `kit_c` that of a step that
decays (0.49 found, left out).

The cost: in the artefact storms of our own benchmark (seeds 9 and 10, 1.5 h) 25 events instead of
15 are false, and at low rates false leg movements of `kit_c` rise from 1.8 to 3.0 an hour. One
person of `kit_e`, family `reinnervated_fast`, has 19 µV RMS of noise. Above 15 µV
(`emg.max_floor_uv`) nothing is counted, so those twitches are missed on purpose.

A jerk weighs more than what resembles it: with 0.6 in place of 0.8 for the negative candidates,
`kit_e` gives 0.846 of the jerks at 0.5 false an hour, but our own benchmark 0.22 false jerks an
hour in place of 0.07. The weight of 0.8 is the one at which left-out seeds of the tuning side give
as many false jerks as before.

With a composer left out, candidates accepted by the jerk model, each cause of a recording thinned:

| left out | jerks | by the others | by our own alone | false | by the others | by our own alone |
|---|---|---|---|---|---|---|
| kit_a | 615 | 555 | 542 | 264 | 118 | 141 |
| kit_b | 864 | 811 | 795 | 344 | 134 | 162 |
| kit_c | 1430 | 1203 | 1157 | 199 | 53 | 63 |
| our own | 6338 | 5826 | | 4711 | 3658 | |

The kits hold hardly any of the artefacts of our own composer, so a model of the kits alone accepts
most of them: several composers together are needed.

## Limits

- All kits are composed. No public recording holds labelled jerks or fasciculations of a sleeping
  leg.
- A kit may list what nobody could see: jerks in noise, twitches at the last step of an 8-bit
  converter. Such rows are in the figures.
- `acc_only` families hold jerks without any EMG. There a jerk and a short movement differ only in
  how steep and how short they are.
"""


def page(
    found: Mapping[str, Any], before: Mapping[str, Any] | None, parts: Mapping[str, pd.DataFrame]
) -> str:
    """Return the page."""
    kits = [name for name in found if name.startswith("kit_")]
    intro = INTRO.format(
        n_kits={4: "Four", 5: "Five"}.get(len(kits), str(len(kits))),
        hours=sum(found["hours"].values()),
        seeds=", ".join(map(str, found["seeds"])),
    )  # fmt: skip
    out = [intro, "## The worst first", "", *_worst(found, kits), ""]
    for name in kits:
        out += [
            f"## {name}, {found['hours'][name]:.1f} h",
            "",
            *_table(found[name], before, name),
            "",
        ]
        out += [*_parts(parts[name]), ""]
    return "\n".join([*out, LIMITS])


def _share(row: Mapping[str, Any] | None) -> str:
    return f"{row['hit'] / row['n']:.3f}" if row and row["n"] else "–"


def _worst(found: Mapping[str, Any], kits: list[str]) -> list[str]:
    """Return the worst family of each class over all kits."""
    out = ["| | goal | worst family | found there |", "|---|---|---|---|"]
    for name, (_, goal) in GOALS.items():
        rows = [(found[k][name].get("worst_hit", np.nan), k, found[k][name]["worst"]) for k in kits]
        rows = [row for row in rows if not np.isnan(row[0])]
        if rows:
            share, kit, family = min(rows)
            out.append(f"| {name} | {goal or '–'} | {kit}, `{family}` | {share:.3f} |")
    return out


def _table(now: Mapping[str, Any], before: Mapping[str, Any] | None, kit: str) -> list[str]:
    out = ["| | goal | before | now | of | worst family | there |", "|---|---|---|---|---|---|---|"]
    old = before.get(kit, {}) if before else {}
    for name, row in now.items():
        goal = GOALS.get(name, (None, None))[0]
        worst = f"`{row['worst']}`" if row.get("worst") else ""
        there = f"{row['worst_hit']:.3f}" if not np.isnan(row.get("worst_hit", np.nan)) else ""
        if "false_per_h" in row:
            there = f"{row['worst_false']} false"
            name = f"{name} ({row['false_per_h']:.1f} false an hour)"
        out.append(
            f"| {name} | {goal or ''} | {_share(old.get(name.split(' (')[0]))} | {_share(row)} "
            f"| {row['n']} | {worst} | {there} |"
        )
    return out


def _parts(table: pd.DataFrame) -> list[str]:
    out = ["| clear twitches and jerks by | | found | of |", "|---|---|---|---|"]
    for row in table.itertuples():
        out.append(f"| {row.kind}, {row.by} | {row.value} | {row.hit / row.n:.3f} | {row.n} |")
    return out
