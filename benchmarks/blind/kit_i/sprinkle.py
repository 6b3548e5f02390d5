"""Placing many events of one sort into a scene."""

import numpy as np

from . import artefacts, limb, muscle, potentials
from .scene import log_uniform


def twitches(sc, count, uv=(20, 5000), ms=(3, 40), mg=(0.3, 25), repertoire=5, share=0.5,
             low=None, high=None, gap=0.7, max_phases=5, mechanism=None, doublets=0.0, note=""):
    """Single potentials; a share of them comes from a few units that come back."""
    rng = sc.rng
    known = []
    for _ in range(repertoire):
        known.append((potentials.shape(rng, mechanism, max_phases),
                      log_uniform(rng, *uv), log_uniform(rng, *ms) / 1000))
    for _ in range(count):
        bare, size, span = None, log_uniform(rng, *uv), log_uniform(rng, *ms) / 1000
        if known and rng.random() < share:
            bare, size, span = known[rng.integers(len(known))]
            size, span = size * rng.lognormal(0, 0.08), span * rng.lognormal(0, 0.03)
        elif mechanism:
            bare = potentials.shape(rng, mechanism, max_phases)
        inner = ()
        if rng.random() < doublets:
            inner = (rng.uniform(max(0.012, span * 1.1), 0.105),)
        whole = span + (inner[0] if inner else 0)
        t = sc.slot(whole, gap, low, high)
        if t is not None:
            sc.twitch(t, size, span, mg=log_uniform(rng, *mg), bare=bare, inner=inner,
                      note="two discharges" if inner else note)


def fragments(sc, count, uv=(50, 900), ms=(60, 160), mg=(0.3, 20)):
    """Longer bursts of few units (fragmentary myoclonus): 60-160 ms."""
    rng = sc.rng
    for _ in range(count):
        span = log_uniform(rng, *ms) / 1000
        t = sc.slot(span, 0.8)
        if t is None:
            continue
        units = [sc.units[i] for i in rng.integers(0, len(sc.units), rng.integers(2, 5))]
        y = muscle.volley(rng, sc.fs, span, units, (1.3, 1.6), dense=rng.integers(2, 6))
        sc.add_emg("muscle", t, y * log_uniform(rng, *uv))
        if sc.has_acc:
            k, _ = limb.kick(rng, sc.afs, [0], [span], [1], rng.uniform(0.01, 0.08), slow=1.3)
            sc.add_acc("muscle", t, k * log_uniform(rng, *mg) / 1000)
        sc.note(t, t + span, "twitch", "few_unit_burst", burst_times=(t,))


def jerks(sc, count, uv=(40, 5000), g=(0.12, 3.0), ms=(12, 250), bursts=(1, 1), hertz=(2, 20),
          waveform="volley", longest=0.7, gap=2.2, low=None, high=None, **more):
    """Jerks of one burst or more; g is drawn without a look at the size in uV."""
    rng = sc.rng
    for _ in range(count):
        n = int(rng.integers(bursts[0], bursts[1] + 1))
        rate = log_uniform(rng, *hertz)
        if n > 1 and longest:
            n = max(2, min(n, int(longest * rate) + 1))
        span = log_uniform(rng, *ms) / 1000
        if n > 1:
            span = min(span, 0.55 / rate)
        times = np.concatenate([[0], np.cumsum(np.full(n - 1, 1 / rate) * rng.normal(1, 0.06, n - 1))])
        lengths = np.clip(span * rng.lognormal(0, 0.12, n), 0.009, 0.29)
        tail = more.get("tail", 0.0)
        extra = dict(more)
        if isinstance(tail, tuple):
            extra["tail"] = tail = log_uniform(rng, *tail)
        t = sc.slot(float(times[-1] + lengths[-1] + tail), gap, low, high)
        if t is not None:
            sc.jerk(t, log_uniform(rng, *uv), list(times), list(lengths), log_uniform(rng, *g),
                    waveform=waveform, **extra)


def movements(sc, count, seconds=(0.55, 9), uv=(110, 2500), degrees=(1, 20), jerky=0.3, gap=2.5):
    rng = sc.rng
    for _ in range(count):
        span = log_uniform(rng, *seconds)
        t = sc.slot(span, gap)
        if t is not None:
            sc.leg_movement(t, span, log_uniform(rng, *uv), log_uniform(rng, *degrees),
                            jerky=rng.choice([0, log_uniform(rng, 0.05, 0.6)], p=[1 - jerky, jerky]),
                            shiver=rng.choice([0, 0.3]))


def brief(sc, count, uv=(60, 2000), mg=(1, 60)):
    """Short contractions of 0.17-0.46 s."""
    rng = sc.rng
    for _ in range(count):
        span = rng.uniform(0.17, 0.46)
        t = sc.slot(span, 2.0)
        if t is None:
            continue
        y = muscle.contraction(rng, sc.fs, span, sc.units * 2, rng.uniform(0.6, 1), 0.03, 0.04, top_rate=70)
        sc.add_emg("muscle", t, muscle.scale_to(y, log_uniform(rng, *uv)))
        if sc.has_acc:
            k, _ = limb.kick(rng, sc.afs, [0], [span], [1], rng.uniform(0.02, 0.08), "modal", 1.8)
            sc.add_acc("muscle", t, k * log_uniform(rng, *mg) / 1000)
        sc.note(t, t + span, "burst", "brief_contraction", burst_times=(t,))


ELECTRODE = ("pop", "sway", "static", "loose", "alike")
ROOM = ("knock", "knock_emg", "footsteps", "radio", "mains", "stimulator")


def artefact(sc, sort, uv=(20, 5000)):
    """One artefact of a sort, of any size and length."""
    rng = sc.rng
    size = log_uniform(rng, *uv)
    if sort == "pop":
        length = log_uniform(rng, 0.003, 0.8)
        y, name = artefacts.pop(rng, sc.fs, length), "electrode_pop"
    elif sort == "sway":
        y, name = artefacts.sway(rng, sc.fs, log_uniform(rng, 0.1, 4)), "cable_sway"
    elif sort == "static":
        y, name = artefacts.static(rng, sc.fs, log_uniform(rng, 0.002, 0.08)), "static_discharge"
    elif sort == "loose":
        y, name = artefacts.loose(rng, sc.fs, log_uniform(rng, 0.05, 6)), "loose_contact"
    elif sort == "alike":
        y, name = artefacts.muscle_alike(rng, sc.fs, log_uniform(rng, 0.003, 0.15)), "electrode_bend"
    elif sort == "mains":
        length = log_uniform(rng, 0.02, 8)
        y, name = artefacts.mains_burst(rng, sc.fs, length, sc.mains), "mains_burst"
        return _put(sc, y, size, name, regular=length > 0.06)
    elif sort == "radio":
        length = log_uniform(rng, 0.004, 5)
        y, rate = artefacts.radio(rng, sc.fs, length)
        regular = rate > 0 and length * rate > 4 and rate < sc.dev.low_pass
        return _put(sc, y, size, "radio_packets" if rate else "radio_clusters", regular=regular)
    elif sort == "stimulator":
        length = log_uniform(rng, 0.005, 6)
        y, times = artefacts.stimulator(rng, sc.fs, length)
        step = times[1] - times[0] if len(times) > 1 else 9
        return _put(sc, y, size, "stimulator", regular=len(times) > 3, many=times if step > 0.06 else None)
    else:
        return _room(sc, sort, size)
    return _put(sc, y, size, name)


def _put(sc, y, size, name, regular=False, many=None):
    t = sc.slot(len(y) / sc.fs, 1.0)
    if t is None:
        return
    marks = tuple(t + x for x in many) if many else ()
    sc.artefact(t, y, size, name, regular=regular, burst_times=marks)


def _room(sc, sort, size):
    rng = sc.rng
    if not sc.has_acc:
        return
    if sort == "footsteps":
        steps = int(rng.integers(3, 12))
        far = log_uniform(rng, 0.003, 0.05)
        soft = rng.uniform(9, 22)
        span = int((steps * 0.62 + 1) * sc.afs)
        out = np.zeros((3, span))
        times = []
        for k in range(steps):
            near = far * np.exp(-(((k - steps / 2) / steps * 2.2) ** 2))
            at = 0.1 + k * 0.55 * rng.normal(1, 0.02)
            y = limb.thump(rng, sc.afs, near, soft)
            a = int(at * sc.afs)
            m = min(y.shape[1], span - a)
            out[:, a : a + m] += y[:, :m]
            times.append(at)
        t = sc.slot(span / sc.afs, 1.5)
        if t is not None:
            sc.artefact(t, np.zeros(1), 0, "footsteps", acc=out, burst_times=tuple(t + x for x in times))
        return
    y = limb.thump(rng, sc.afs, log_uniform(rng, 0.02, 2.5))
    t = sc.slot(0.9, 1.5)
    if t is None:
        return
    if sort == "knock":
        sc.artefact(t, np.zeros(1), 0, "knock", acc=y)
        return
    length = log_uniform(rng, 0.02, 0.5)
    if rng.random() < 0.5:
        e = artefacts.sway(rng, sc.fs, max(0.15, length))
    else:
        e = artefacts.pop(rng, sc.fs, length)
    sc.artefact(t, e, size, "knock_with_cable", acc=y)


def mixed_artefacts(sc, count, sorts=ELECTRODE + ROOM, uv=(20, 5000)):
    for _ in range(count):
        artefact(sc, str(sc.rng.choice(sorts)), uv)


def turns(sc, count, degrees=(12, 110), uv=0.0):
    """Changes of posture; in order of time, so that gravity follows."""
    rng = sc.rng
    places = []
    for _ in range(count):
        span = rng.uniform(0.6, 3.5)
        t = sc.slot(span, 6.5)
        if t is not None:
            places.append((t, span))
            sc.take(t - 5.5, span + 11)
    for t, span in sorted(places):
        sc.posture(t, span, log_uniform(rng, *degrees), uv)
