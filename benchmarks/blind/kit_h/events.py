"""Putting events on the stage: twitches, jerks, contractions, turns, walks, cramps."""
import numpy as np

from . import limb, nuisance
from .device import hum
from .stage import Plan
from .units import at_rate, raw_unit
from .volleys import envelope, interference, volley


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _fine(stage):
    return stage.device.fine if stage.has_emg else 1000


def own_units(stage, count=5):
    """Motor units of this person that twitch again and again (waveform, length, size, name)."""
    out = []
    for _ in range(count):
        wave, name = raw_unit(stage.rng)
        out.append((wave, log_uniform(stage.rng, 4, 32), log_uniform(stage.rng, 40, 2500), name))
    return out


def twitch(stage, t=None, uv=None, ms=None, unit=None, g=None, in_activity=False, note="", start=3.0, stop=None):
    """One potential of one motor unit, at t or at a random free place."""
    rng, fs = stage.rng, _fine(stage)
    if t is None:
        t = stage.free(0.25, 0.45, start, stop)
        if t is None:
            return None
    if unit is not None:
        wave, ms, size, name = unit
        uv = size * np.exp(rng.normal(0, 0.08))
        ms = ms * np.exp(rng.normal(0, 0.03))
    else:
        wave, name = raw_unit(rng)
        uv = uv or log_uniform(rng, 20, 5000)
        ms = ms or log_uniform(rng, 3, 40)
    shape = at_rate(wave, fs, ms) * uv
    g = log_uniform(rng, 0.0003, 0.06) if g is None else g
    acc = None
    if stage.has_acc:
        delay = rng.uniform(0.005, 0.03)
        acc = (t + delay, limb.thrust(rng, stage.device.acc_fine, [0.0], [1.0], g, "packet" if rng.random() < 0.7 else "bed")[0])
    return stage.add(Plan("twitch", t, name, [(int(t * fs), shape)], acc, note, in_activity, second=rng.uniform(0.1, 1.1)))


def doublet(stage, unit=None, triple=False, start=3.0, stop=None):
    """The same unit again after 10-110 ms: one row, one onset per potential."""
    rng, fs = stage.rng, _fine(stage)
    t = stage.free(0.4, 0.5, start, stop)
    if t is None:
        return None
    wave, ms, uv, name = unit or (raw_unit(rng)[0], log_uniform(rng, 3, 18), log_uniform(rng, 60, 3000), "repeat of a unit")
    gaps = [0.0, log_uniform(rng, max(0.022 + ms / 1000.0, 0.026), 0.095)]
    if triple:
        gaps = [0.0, 0.045, 0.09]
    pieces = [(int((t + gap) * fs), at_rate(wave, fs, ms * (1 + 0.1 * (k > 0))) * uv * (1 if k == 0 else rng.uniform(0.6, 1.0)))
              for k, gap in enumerate(gaps)]
    g = log_uniform(rng, 0.0005, 0.06)
    acc = (t + 0.012, limb.thrust(rng, stage.device.acc_fine, gaps, [1.0] * len(gaps), g, "packet")[0]) if stage.has_acc else None
    return stage.add(Plan("twitch", t, name, pieces, acc, "triplet" if triple else "doublet", doublet=True, second=rng.uniform(0.1, 1.1)))


def twitch_run(stage, unit, count, mean_gap, start=3.0, stop=None):
    """A run of twitches of one unit, intervals of a gamma law, never closer than 0.26 s."""
    rng = stage.rng
    gaps = 0.26 + rng.gamma(rng.uniform(1.0, 4.0), 1.0, count)
    gaps = 0.26 + (gaps - 0.26) * max(0.02, mean_gap - 0.26) / np.mean(gaps - 0.26)
    place = stage.free(float(gaps.sum()) + 0.3, 0.6, start, stop)
    if place is None:
        return
    t = place
    for gap in gaps:
        twitch(stage, t, unit=unit, g=log_uniform(rng, 0.0005, 0.03))
        t += gap


def jerk(stage, t=None, bursts=None, rate=None, uv=None, ms=None, g=None, delay=None, note="", start=4.0, stop=None):
    """A myoclonic jerk: one or several synchronous volleys, and a motion whose size is independent of them."""
    rng, fs = stage.rng, _fine(stage)
    bursts = bursts or int(rng.choice([1, 1, 1, 2, 3, 4, 5, 7, 10]))
    rate = rate or log_uniform(rng, 2, 20)
    period = 1.0 / rate
    if bursts > 1:
        ms = min(ms or log_uniform(rng, 12, 160), 500.0 * period)
    ms = ms or log_uniform(rng, 14, 240)
    uv = uv or log_uniform(rng, 40, 5000)
    g = g or log_uniform(rng, 0.13, 2.5)
    delay = rng.uniform(0.010, 0.080) if delay is None else delay
    starts = np.concatenate([[0.0], np.cumsum(period * (1 + rng.normal(0, 0.06, bursts - 1)))]) if bursts > 1 else np.zeros(1)
    whole = float(starts[-1]) + ms / 1000.0
    if t is None:
        t = stage.free(whole + 1.6, 0.5, start, stop)
        if t is None:
            return None
    pieces, names = [], []
    sizes = np.exp(rng.normal(0, 0.25, bursts))
    kind = str(rng.choice(["scatter", "cascade", "dephase"]))
    for k in range(bursts):
        wave, name = volley(rng, fs, ms * np.exp(rng.normal(0, 0.1 if bursts > 1 else 0)), kind)
        pieces.append((int((t + starts[k]) * fs), wave * uv * sizes[k] / sizes.max()))
        names.append(name)
    acc = None
    if stage.has_acc:
        acc = (t + delay, limb.thrust(rng, stage.device.acc_fine, list(starts), list(np.exp(rng.normal(0, 0.3, bursts))), g)[0])
    return stage.add(Plan("jerk", t, f"volley {names[0]}", pieces, acc, note, second=rng.uniform(0.5, 1.2)))


def contraction(stage, seconds, t=None, rms=None, degrees=None, shape=None, carrier=None, note="", in_activity=False,
                start=4.0, stop=None, waveform=None):
    """A movement or a held contraction with interference EMG; the foot may go up."""
    rng, fs = stage.rng, _fine(stage)
    if t is None:
        t = stage.free(seconds + 1.5, 0.8, start, stop)
        if t is None:
            return None
    env, name = envelope(rng, fs, seconds, shape)
    x, how = interference(rng, fs, env, carrier)
    rms = rms or log_uniform(rng, 22, 350)
    acc = None
    degrees = rng.choice([0.0, log_uniform(rng, 1, 14)]) if degrees is None else degrees
    if stage.has_acc and degrees > 0:
        delay = rng.uniform(0.03, 0.1)
        acc = (t + delay, limb.flexion(rng, stage.device.acc_fine, seconds, stage.gravity_at(t), degrees, rng.uniform(0.1, 0.35)))
    return stage.add(Plan("contraction", t, waveform or f"{name}, {how}", [(int(t * fs), x * rms)] if stage.has_emg else [], acc,
                          note, in_activity, second=rng.uniform(0.5, 1.1)))


def series(stage, count, interval, seconds, rms=None, degrees=None, start=10.0, jitter=0.15):
    """Leg movements that come back every `interval` s."""
    t = start
    for _ in range(count):
        length = seconds * np.exp(stage.rng.normal(0, 0.2))
        if t + length + 3 > stage.seconds:
            break
        stage.reserve(t, t + length + 1.4)
        contraction(stage, length, t, rms, degrees, note="periodic")
        t += max(length + 1.5, interval * (1 + stage.rng.normal(0, jitter)))
    return t


def tapping(stage, bursts, rate, rms, degrees=4.0, note="foot tapping"):
    """Rhythmic foot movements: one row, gaps under 0.5 s."""
    rng, fs = stage.rng, _fine(stage)
    period = 1.0 / rate
    length = float(np.clip(rng.uniform(0.45, 0.7) * period, max(0.25, period - 0.42), 1.0))
    whole = (bursts - 1) * period + length
    t = stage.free(whole + 1.5, 1.0)
    if t is None:
        return None
    pieces = []
    acc_total = None
    for k in range(bursts):
        when = t + k * period + period * abs(rng.normal(0, 0.02))
        env, _ = envelope(rng, fs, length * np.exp(rng.normal(0, 0.05)), "plateau")
        pieces.append((int(when * fs), interference(rng, fs, env)[0] * rms * np.exp(rng.normal(0, 0.2))))
    if stage.has_acc:
        fine = stage.device.acc_fine
        acc_total = np.zeros((3, int((whole + 2.0) * fine)))
        gravity = stage.gravity_at(t)
        for k in range(bursts):
            one = limb.flexion(rng, fine, min(length, 0.8 * period), gravity, degrees, 0.2)
            first = int(k * period * fine)
            stop = min(acc_total.shape[1], first + one.shape[1])
            acc_total[:, first:stop] += one[:, :stop - first]
        acc_total = (t + 0.05, acc_total)
    return stage.add(Plan("contraction", t, "foot tapping", pieces, acc_total, note))


def turn(stage, seconds=None, degrees=None, rms=None, t=None):
    """Turning over: posture changes, with or without the leg muscle."""
    rng, fs = stage.rng, _fine(stage)
    seconds = seconds or rng.uniform(3.5, 14.0)
    if t is None:
        t = stage.free(seconds + 3.5, 2.0)
        if t is None:
            return None
    degrees = degrees or rng.uniform(35, 120)
    gravity = stage.gravity_at(t)
    jostle = log_uniform(rng, 0.06, 0.5)
    path = limb.roll(rng, stage.device.acc_fine, seconds, gravity, degrees, jostle)
    after = gravity + path[:, -1]
    tilt = float(np.degrees(np.arccos(np.clip(gravity @ after / np.linalg.norm(after), -1, 1))))
    pieces = []
    if stage.has_emg and (rms is None or rms > 0):
        strength = sum(np.concatenate([np.zeros(a), envelope(rng, fs, b)[0], np.zeros(int(seconds * fs) + 9)])[:int(seconds * fs)]
                       for a, b in [(int(rng.uniform(0, 0.35) * seconds * fs), rng.uniform(0.3, 0.6) * seconds) for _ in range(3)])
        pieces = [(int(t * fs), interference(rng, fs, strength)[0] * (rms or log_uniform(rng, 40, 400)))]
    return stage.add(Plan("turn", t, "turning over", pieces, (t + 0.02, path), tilt=tilt))


def quick_posture(stage):
    """The leg is let fall to a new place: posture change with little muscle, quick."""
    rng = stage.rng
    t = stage.free(4.0, 2.0)
    if t is None:
        return None
    fine = stage.device.acc_fine
    gravity = stage.gravity_at(t)
    axis = np.cross(gravity, limb.direction(rng))
    axis /= np.linalg.norm(axis)
    across = np.cross(axis, gravity)
    clock = np.arange(int(2.0 * fine)) / fine
    moving = rng.uniform(0.5, 1.3)
    angle = np.radians(rng.uniform(38, 100)) * limb.smooth_step(clock / moving)
    path = np.outer(gravity, np.cos(angle) - 1) + np.outer(across, np.sin(angle))
    return stage.add(Plan("turn", t, "leg put down elsewhere", [], (t, path), tilt=float(np.degrees(angle[-1])), moving=moving))


def walk(stage, seconds, rms=120.0, t=None):
    """Walking: muscle bursts once per stride, heel strikes and swing on the accelerometer."""
    rng, fs = stage.rng, _fine(stage)
    t = stage.free(seconds + 3.0, 3.0) if t is None else t
    if t is None:
        return None
    stride = rng.uniform(1.0, 1.35)
    knots = np.linspace(0, seconds, max(4, int(seconds / 1.5)))
    sway = rng.normal(0, 0.07, knots.size)                   # no two strides alike

    def cycle(clock):
        return np.mod(clock / stride + np.interp(clock, knots, sway), 1.0)
    pieces = []
    if stage.has_emg:
        u = cycle(np.arange(int(seconds * fs)) / fs)
        strength = 0.08 + np.exp(-((u - 0.12) / 0.09) ** 2) + 0.6 * np.exp(-((u - 0.62) / 0.12) ** 2)
        edge = np.clip(np.minimum(np.arange(u.size), u.size - np.arange(u.size)) / (0.3 * fs), 0, 1)
        pieces = [(int(t * fs), interference(rng, fs, strength * edge)[0] * rms)]
    acc = None
    if stage.has_acc:
        fine = stage.device.acc_fine
        clock = np.arange(int(seconds * fine)) / fine
        u = cycle(clock)
        hit = np.exp(-u * stride / 0.04) * np.sin(2 * np.pi * 14 * u * stride) * 1.4
        out = np.outer(limb.direction(rng), hit) + np.outer(limb.direction(rng), 0.5 * np.sin(2 * np.pi * u)) \
            + np.outer(limb.direction(rng), 0.6 * np.exp(-((u - 0.75) / 0.07) ** 2))
        acc = (t + 0.02, out * np.clip(np.minimum(clock, seconds - clock) / 0.4, 0, 1))
    return stage.add(Plan("walk", t, "walking", pieces, acc, "walking", True))


def cramp(stage, seconds):
    """A cramp: single units first, then a growing high-rate discharge, ending in fits and starts; the leg is still."""
    rng, fs = stage.rng, _fine(stage)
    t = stage.free(seconds + 12.0, 1.0)
    if t is None:
        return None
    unit = (raw_unit(rng)[0], rng.uniform(6, 14), log_uniform(rng, 150, 900), "unit before a cramp")
    for k in range(int(rng.integers(3, 8))):
        twitch(stage, t + 0.1 + k * rng.uniform(0.6, 0.7), unit=unit, g=0.004)
    t += 6.5
    u = np.linspace(0, 1, int(seconds * fs))
    form = np.clip(u / 0.12, 0, 1) ** 0.7 * np.clip((1 - u) / 0.25, 0, 1) ** 0.5
    ragged = 0.75 + 0.25 * np.repeat(rng.uniform(0, 1, int(seconds * 5) + 2), int(0.2 * fs))[:u.size]
    x, how = interference(rng, fs, form * ragged, "shots")
    return stage.add(Plan("contraction", t, f"cramp, {how}", [(int(t * fs), x * log_uniform(rng, 60, 400))], None, "cramp"))


def artefact(stage, maker, uv=None, ms=None, t=None, knock_g=None, **extra):
    """One artefact of the electrode at a free place; with `knock_g` the band is hit as well."""
    rng, fs = stage.rng, _fine(stage)
    ms = ms or log_uniform(rng, 3, 40)
    t = stage.free(ms / 1000.0 * 14 + 0.2, 0.3) if t is None else t
    if t is None:
        return None
    x, name = maker(rng, fs, uv or log_uniform(rng, 20, 5000), ms, **extra)
    acc = (t, nuisance.bump(rng, stage.device.acc_fine, knock_g)[0]) if knock_g and stage.has_acc else None
    stop = min(x.size, stage.emg[0].size - int(t * fs))
    return stage.add(Plan("artefact", t, name, [(int(t * fs), x[:stop])], acc, second=rng.choice([0.0, 0.4, 1.0])))


def long_artefact(stage, maker, seconds, uv=None, t=None, knock_g=None, alone=True):
    """An artefact that lasts seconds; its row is where its cause acts. Not alone: other events may fall in it."""
    rng, fs = stage.rng, _fine(stage)
    if not alone:
        t = rng.uniform(5, stage.seconds - seconds - 5)
    t = stage.free(seconds + 0.6, 0.5) if t is None else t
    if t is None:
        return None
    x, name = maker(rng, fs, uv or log_uniform(rng, 30, 5000), seconds)
    acc = (t, nuisance.bump(rng, stage.device.acc_fine, knock_g)[0]) if knock_g and stage.has_acc else None
    return stage.add(Plan("artefact", t, name, [(int(t * fs), x)], acc, fixed=(t, t + seconds)))


def hum_spell(stage, t, seconds, uv, chopped=False, note="", click_uv=0.0):
    """Mains hum that is switched on and off; with clicks at both ends if wanted."""
    x = hum(stage.rng, stage.device, seconds, uv, chopped=chopped)
    n = int(0.03 * stage.device.fine)
    x[:n] *= np.arange(n) / n
    x[-n:] *= np.arange(n)[::-1] / n
    stage.add(Plan("artefact", t, "hum", [(int(t * stage.device.fine), x)], None, note, fixed=(t, t + seconds), second=1.0))
    if click_uv:
        for when in (t, t + seconds):
            stage.reserve(when - 0.2, when + 0.3)
            artefact(stage, nuisance.switch_click, click_uv * stage.rng.uniform(0.5, 1.5), None, when)


def outside(stage, made, t=None, role="outside", fixed=True, note=""):
    """A motion from outside; `made` is (acceleration, name)."""
    acc, name = made
    seconds = acc.shape[1] / stage.device.acc_fine
    t = stage.free(seconds, 0.3) if t is None else t
    if t is None:
        return None
    return stage.add(Plan(role, t, name, [], (t, acc), note, fixed=(t, t + seconds) if fixed else None))
