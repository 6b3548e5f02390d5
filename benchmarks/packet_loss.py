"""What lost packets cost: the share of the events that is found, and of the time that is judged.

    python -m benchmarks.packet_loss [--minutes 30]

A leg with a twitch or a jerk every five seconds; packets of 20 ms are lost at random, those of both
sensors at once. Prints the table of docs/detection.md.
"""

from __future__ import annotations

import argparse

import numpy as np

from tests.signals import SimulatedLeg, detect

PACKET_S = 0.02
LOSSES = (0.0, 0.0025, 0.02, 0.1)


def measure(loss: float, seconds: int) -> tuple[float, float]:
    """Return the share of the events found and of the time judged."""
    leg = SimulatedLeg(seconds, seed=1)
    times = np.arange(15.0, seconds - 10, 5.0)
    kinds = np.where(np.arange(len(times)) % 3, "twitch", "jerk")
    for at, kind in zip(times, kinds, strict=True):
        getattr(leg, kind)(at)
    lost = np.random.default_rng(3).random(round(seconds / PACKET_S)) < loss
    leg.emg[np.repeat(lost, round(PACKET_S * leg.fs))] = np.nan
    leg.acc[np.repeat(lost, round(PACKET_S * leg.fs_acc))] = np.nan
    found = detect(leg.recording())
    onsets = found.events.onset.to_numpy()
    hits = [
        ((np.abs(onsets - at) < 0.1) & (found.events.trial_type == kind)).any()
        for at, kind in zip(times, kinds, strict=True)
    ]
    return float(np.mean(hits)), found.valid_s["emg1"] / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30)
    args = parser.parse_args()
    print("| lost packets | events found | time judged |\n|---|---|---|")
    for loss in LOSSES:
        found, judged = measure(loss, args.minutes * 60)
        print(f"| {100 * loss:g} % | {found:.3f} | {judged:.3f} |")


if __name__ == "__main__":
    main()
