"""How the leg moves: acceleration of the limb and the direction of gravity, in g.

Sensor axes: x along the shin, y sideways, z out of the skin.  The limb turns by an angle
about the knee; the sensor measures the tangential acceleration and the changed direction of
gravity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from firmware_sim.emg import PAD_S, MuscleBurst
from firmware_sim.schedule import EventKind, SimulatedEvent
from firmware_sim.time_grid import ANALOG_LIMB_HZ, Floats, Waveform, make_rng, minimum_jerk

#: Rate of the grid, Hz.
FS = ANALOG_LIMB_HZ
#: Distance from knee to sensor (0.33 m) over standard gravity: converts angular acceleration
#: (rad/s²) to tangential acceleration (g).
ARM_G = 0.33 / 9.81
#: Band (Hz) of the dynamic acceleration (docs/definitions.md, Signal bands).
DYNAMIC_HZ = (0.5, 40.0)
_DYNAMIC = signal.butter(2, DYNAMIC_HZ, "bandpass", fs=FS, output="sos")

# Ranges of the natural frequency (Hz), damping ratio and contraction time (s) of the limb.
# [E]: a single unit moves the skin over the muscle, a jerk moves the shank on the mattress, a
# slow movement lifts it.  The damping ends the oscillation within 1 s.
_MECHANICS = {
    EventKind.UNIT: ((11.0, 17.0), (0.35, 0.6), (0.012, 0.025)),
    EventKind.CLUSTER: ((8.0, 14.0), (0.35, 0.6), (0.012, 0.03)),
    EventKind.JERK: ((6.0, 10.0), (0.3, 0.5), (0.010, 0.018)),
    EventKind.TRAIN: ((7.0, 11.0), (0.5, 0.8), (0.012, 0.025)),
    # The trunk moves the leg; soft tissue damps the oscillation within half a second.
    EventKind.HICCUP: ((5.0, 8.0), (0.45, 0.65), (0.02, 0.04)),
    EventKind.STAIR: ((8.0, 14.0), (0.35, 0.6), (0.015, 0.03)),
    EventKind.CONTRACTION: ((4.0, 7.0), (0.4, 0.7), (0.03, 0.06)),
}
_SLOW = ((2.5, 5.0), (0.45, 0.8), (0.04, 0.08))


@dataclass(frozen=True, slots=True)
class Gravity:
    """The direction of gravity in the axes of the sensor, which changes with each turn.

    Attributes
    ----------
    starts, lengths : ndarray of float64, shape (turns,)
        Start and duration of each turn, s.
    before, after : ndarray of float64, shape (turns, 3)
        Unit vectors before and after each turn.
    rest : ndarray of float64, shape (3,)
        Unit vector before the first turn.
    """

    starts: Floats
    lengths: Floats
    before: Floats
    after: Floats
    rest: Floats

    def at(self, times: Floats) -> Floats:
        """Return the vector (g) at each time, shape (times, 3)."""
        if not len(self.starts):
            return np.broadcast_to(self.rest, (len(times), 3)).copy()
        which = np.searchsorted(self.starts, times, side="right") - 1
        turn = np.maximum(which, 0)
        path = minimum_jerk((times - self.starts[turn]) / self.lengths[turn])
        path = np.where(which < 0, 0.0, path)[:, None]
        a, b = self.before[turn], self.after[turn]
        cosine = np.clip(np.sum(a * b, axis=1), -1.0, 1.0)
        angle = np.arccos(cosine)[:, None]
        sine = np.maximum(np.sin(angle), 1e-9)
        arc = (np.sin((1.0 - path) * angle) * a + np.sin(path * angle) * b) / sine
        vector: Floats = np.where(angle < 1e-6, a, arc)
        return vector


def _rotate(vector: Floats, axis: Floats, angle: float) -> Floats:
    """Rotate a vector about a unit axis (Rodrigues)."""
    turned: Floats = (
        vector * np.cos(angle)
        + np.cross(axis, vector) * np.sin(angle)
        + axis * np.dot(axis, vector) * (1.0 - np.cos(angle))
    )
    return turned


def _turned(vector: Floats, angle_deg: float, rng: np.random.Generator) -> Floats:
    """Return a rest position that lies exactly `angle_deg` away."""
    # Rolling over turns the leg about its long axis: use the part of x perpendicular to gravity.
    wish = np.array([1.0, 0.0, 0.0]) + 0.3 * rng.standard_normal(3)
    axis = wish - vector * np.dot(wish, vector)
    axis /= np.linalg.norm(axis)
    return _rotate(vector, axis, np.radians(angle_deg) * rng.choice([-1.0, 1.0]))


def plan_gravity(events: tuple[SimulatedEvent, ...], seed: int) -> Gravity:
    """Return the direction of gravity during a recording that begins supine.

    Parameters
    ----------
    events : tuple of SimulatedEvent
        Posture changes and walks among them turn the leg.
    seed : int

    Returns
    -------
    Gravity
    """
    rng = make_rng(seed, "posture")
    now = np.array([rng.uniform(-0.25, 0.25), rng.uniform(-0.4, 0.4), 1.0])
    now /= np.linalg.norm(now)
    rest = now
    starts, lengths, before, after = [], [], [], []

    def turn(at: float, length: float, to: Floats) -> None:
        nonlocal now
        starts.append(at)
        lengths.append(length)
        before.append(now)
        after.append(to)
        now = to

    for event in events:
        own = make_rng(event.seed, "turn")
        if event.kind is EventKind.WALK:
            lying = now
            turn(event.onset + 0.2, 2.0, np.array([-0.985, 0.1, 0.14]) / 1.0)
            turn(event.end - 2.2, 2.0, _turned(lying, own.uniform(20.0, 60.0), own))
        elif event.turn_deg:
            length = min(float(own.uniform(1.0, 3.0)), max(event.duration - 0.3, 0.5))
            turn(event.onset + 0.1, length, _turned(now, event.turn_deg, own))
    vectors = [np.array(item, dtype=float).reshape(-1, 3) for item in (before, after)]
    for array in vectors:
        array /= np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-12)
    return Gravity(np.array(starts), np.array(lengths), vectors[0], vectors[1], rest)


def _swing(
    event: SimulatedEvent, burst: MuscleBurst, delay: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return angular acceleration and angle of the limb, in arbitrary units, on the grid."""
    natural, damping, contraction = _MECHANICS.get(event.kind, _SLOW)
    w = 2.0 * np.pi * rng.uniform(*natural)
    zeta = rng.uniform(*damping)
    rise = 1.0 / rng.uniform(*contraction)
    step = int(burst.emg.fs / FS)
    drive = burst.envelope[::step] / burst.envelope.max()
    tail = int(1.2 * FS)
    force = np.concatenate([np.zeros(delay), drive, np.zeros(tail)])
    if event.duration > 0.5 and event.kind is not EventKind.TRAIN:
        # An unfused contraction causes a tremor of 6-14 Hz.
        sos = signal.butter(1, (5.0, 14.0), "bandpass", fs=FS, output="sos")
        tremor = signal.sosfilt(sos, rng.standard_normal(len(force)))
        force = force * (1.0 + 0.1 * tremor / np.std(tremor))
    twitch = signal.bilinear([rise**2], [1.0, 2.0 * rise, rise**2], FS)
    pressed = signal.lfilter(*twitch, force)
    moved = signal.bilinear([w**2], [1.0, 2.0 * zeta * w, w**2], FS)
    angle = signal.lfilter(*moved, pressed)
    pushed = signal.bilinear([w**2, 0.0, 0.0], [1.0, 2.0 * zeta * w, w**2], FS)
    return signal.lfilter(*pushed, pressed), angle


def dynamic(acceleration: Floats) -> Floats:
    """Return the 0.5-40 Hz part of each axis (zero phase)."""
    pad = int(2.0 * FS)
    ends = np.pad(acceleration, ((pad, pad), (0, 0)), mode="edge")
    band: Floats = signal.sosfiltfilt(_DYNAMIC, ends, axis=0)[pad:-pad]
    return band


def peak_dynamic(acceleration: Floats) -> float:
    """Return the largest magnitude of the dynamic acceleration (g)."""
    return float(np.sqrt(np.sum(dynamic(acceleration) ** 2, axis=1)).max())


def draw_motion(event: SimulatedEvent, burst: MuscleBurst, gravity: Gravity) -> Waveform:
    """Return the acceleration that an event adds to resting gravity.

    It is scaled so that the peak of its dynamic part is `event.peak_g`.

    Parameters
    ----------
    event : SimulatedEvent
    burst : MuscleBurst
        EMG of the event, whose envelope drives the limb.
    gravity : Gravity

    Returns
    -------
    Waveform
        In g, three axes.
    """
    rng = make_rng(event.seed, "limb")
    resting = gravity.at(np.array([event.onset - 0.2]))[0]
    rough = event.kind in {EventKind.GROSS_MOVEMENT, EventKind.POSTURE, EventKind.WALK}
    # The electromechanical delay from EMG to motion is 20-60 ms (Begovic 2014), which includes
    # part of the contraction.
    delay = int(rng.uniform(0.015, 0.04) * FS)
    total = np.zeros((1, 3))
    # Large movements rotate the limb about several axes, each with its own oscillation.
    for part in range(3 if rough else 1):
        hinge = np.array([0.0, 1.0, 0.0]) + (0.9 if rough else 0.3) * rng.standard_normal(3)
        hinge -= np.array([hinge[0] * 0.7, 0.0, 0.0])
        hinge /= np.linalg.norm(hinge)
        tangent = np.cross(hinge, np.array([1.0, 0.0, 0.0]))
        pushed, angle = _swing(event, burst, delay, rng)
        axis = tangent / max(float(np.linalg.norm(tangent)), 1e-9)
        tilt = np.cross(hinge, resting)
        motion = ARM_G * pushed[:, None] * axis + angle[:, None] * tilt
        total = total + motion / (1.0 + part)
    peak = peak_dynamic(total)
    return Waveform(event.onset - PAD_S, FS, total * (event.peak_g / peak))


def truth_peak(event: SimulatedEvent, motion: Waveform, gravity: Gravity) -> float:
    """Return the true peak dynamic acceleration (g), with the change of gravity in a turn."""
    if event.turn_deg or event.kind is EventKind.WALK:
        times = motion.times()
        return peak_dynamic(motion.samples + gravity.at(times))
    return peak_dynamic(motion.samples)
