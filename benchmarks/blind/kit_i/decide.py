"""From measured, noise-free numbers to a kind: the definitions, with a guard
band on either side of each limit in which the answer is `unclear`."""

GUARD = 0.06  # about each limit, as a part of it


def _acc_is_jerk(acc, need_g=0.10):
    """True, False, or None within the guard band."""
    if acc is None:
        return False
    if acc["g"] < need_g * 0.88 or acc["j"] < 5 * 0.88:
        return False
    sure = acc["g"] > need_g * 1.12 and acc["j"] > 5 * 1.12
    if not sure:
        return None
    if acc["theta"] > 27:
        return None
    return True


def _episodes_short(acc):
    return acc["episode"] <= 0.95


def decide(sc, it, emg, acc):
    """(kind, onset, duration, note)"""
    length = it.stop - it.start
    if it.force_unclear:
        on, d = _span(it, emg, acc)
        return "unclear", on, d, it.force_unclear
    if it.style == "ecg":
        on, d = _span(it, emg, None)
        return "artefact", on, d, ""
    if it.style == "silence":
        return "unclear", it.start, length, "pause in activity: no positive event defined"
    if it.style == "artefact":
        return _artefact(sc, it, emg, acc)
    if it.style == "posture":
        if acc is None:
            return None, 0, 0, ""
        if acc["theta"] > 11.5 and not 28.5 < acc["theta"] < 31.5:
            return "posture_change", it.start, length, f"theta {acc['theta']:.0f}"
        return "unclear", it.start, length, "turn near a limit"
    if it.style == "walk":
        on, d = _span(it, emg, acc)
        if emg and (emg["env_top"] < 8 * 1.2 or emg["env_mid"] < 2 * 1.25):
            return "unclear", on, d, "too small for the leg-movement rule"
        if d > 10.3:
            return "gross_movement", on, d, ""
        return ("movement" if 0.55 < d < 9.7 else "unclear"), on, d, ""
    if not sc.has_emg:
        return _acc_only(it, acc)
    return _muscle(sc, it, emg, acc)


def _span(it, emg, acc):
    if emg and emg["runs"]:
        return emg["runs"][0][0], emg["runs"][-1][1] - emg["runs"][0][0]
    if acc and acc["runs"]:
        return acc["runs"][0][0], acc["runs"][-1][1] - acc["runs"][0][0]
    return it.start, it.stop - it.start


def _muscle(sc, it, emg, acc):
    on, total = _span(it, emg, acc)
    if emg is None or not emg["runs"]:
        return "unclear", on, total, "muscle below the noise"
    runs = [q - p for p, q in emg["runs"]]
    longest = max(runs)
    if acc and acc["start"] is not None:
        acc = dict(acc, lag=acc["start"] - on)
    if emg["clip"]:
        return "unclear", on, total, "converter at its rail"
    if not emg["opens"]:
        return "unclear", on, total, "does not rise over the opening level"
    theta = acc["theta"] if acc else 0.0
    if it.style == "movement" or longest > 0.53:
        return _movement(it, emg, acc, on, total, theta, longest)
    is_jerk = _acc_is_jerk(acc) if sc.has_acc else False
    if is_jerk is None:
        return "unclear", on, total, "acceleration near the limit of a jerk"
    if is_jerk:
        return _jerk(it, emg, acc, on, total, runs, longest)
    return _quiet_burst(sc, it, emg, acc, on, total, runs, theta)


def _movement(it, emg, acc, on, total, theta, longest):
    if longest < 0.53:
        return "unclear", on, total, "near 0.5 s, or in parts"
    if total - longest > 0.02 and it.style == "burst":
        return "unclear", on, total, "burst and longer activity in one"
    if emg["env_top"] < 8 * 1.2 or emg["env_mid"] < 2 * 1.25:
        return "unclear", on, total, "too small for the leg-movement rule"
    if theta > 28:
        if total > 10.3:
            return "gross_movement", on, total, "with change of posture"
        return "unclear", on, total, "movement and change of posture in one"
    if 9.7 <= total <= 10.3:
        return "unclear", on, total, "near 10 s"
    return ("movement" if total < 9.7 else "gross_movement"), on, total, ""


def _jerk(it, emg, acc, on, total, runs, longest):
    if acc["lag"] is None or not -0.015 <= acc["lag"] <= 0.14:
        return "unclear", on, total, "acceleration too early or too late"
    if max(runs) > 0.318:
        if max(runs) < 0.47 and len(runs) == 1 and it.stop - it.start > 0.3:
            return "brief_contraction", on, total, "too long for a jerk"
        return "unclear", on, total, "length near a limit"
    if len(it.burst_times) == 1 and total > 0.282 and len(runs) > 1:
        return "unclear", on, total, "one burst in several parts"
    if max(runs) > 0.282 or max(runs) < 0.0105:
        return "unclear", on, total, "length near the limits of a jerk"
    if emg.get("rise", 0) > 0.095:
        return "unclear", on, total, "slow rise"
    n = len(it.burst_times)
    rate = (n - 1) / (it.burst_times[-1] - it.burst_times[0]) if n > 1 else 0.0
    if n >= 5 and 3.3 < rate < 19 and total > 1.9:
        return "unclear", on, total, "five or more cycles over 2 s: tremor-like"
    if _episodes_short(acc):
        if total <= 1.2 or len(acc["runs"]) >= len(runs):
            return "jerk", on, total, f"J {acc['j']:.0f} g/s"
        return "unclear", on, total, "long train"
    if acc["episode"] <= 1.05:
        return "unclear", on, total, "shaking lasts about 1 s"
    return "unclear", on, total, "shaking lasts longer than 1 s"


def _quiet_burst(sc, it, emg, acc, on, total, runs, theta):
    n = len(it.burst_times)
    if len(runs) > 1:
        gap = it.burst_times[-1] - it.burst_times[0]
        if n == 2 and len(runs) == 2 and gap <= 0.108 and max(runs) < 0.14 and emg["pp"] > 53:
            return "twitch", on, total, "doublet"
        return "unclear", on, total, "several parts without a jerk"
    d = runs[0]
    if theta > 9:
        return "unclear", on, total, "with a turn of the leg"
    if d < 0.0053:
        return "unclear", on, total, "shorter than a twitch may be, or near it"
    if d <= 0.141:
        if emg["pp"] < 53:
            return "unclear", on, total, "below or near 50 uV"
        return "twitch", on, total, ""
    if it.stop - it.start < 0.15:
        return "unclear", on, total, "stretched over a limit by the system"
    if d < 0.16 or d > 0.47:
        return "unclear", on, total, "length near a limit"
    return "brief_contraction", on, total, ""


def _acc_only(it, acc):
    on, d = _span(it, None, acc)
    if acc is None or acc["g"] < 0.02:
        return "unclear", on, d, "tiny acceleration"
    g, j = acc["g"], acc["j"]
    if g > 0.17 and j > 5.6 and acc["rise"] < 0.135 and acc["episode"] < 0.95 and acc["theta"] < 27:
        if len(acc["runs"]) == 1 or d < 0.95:
            return "jerk", on, d, "acceleration only"
        return "unclear", on, d, "several shakes, acceleration only"
    near = g > 0.13 and j > 4.4 and acc["episode"] < 1.05
    if near or acc["theta"] > 9:
        return "unclear", on, d, "near the limits, acceleration only"
    if 0.55 < acc["episode"] < 2.8 and len(acc["runs"]) == 1:
        return "movement", on, d, "acceleration only"
    if acc["episode"] > 10.3:
        return "gross_movement", on, d, "acceleration only"
    return "unclear", on, d, "small or long event, acceleration only"


def _artefact(sc, it, emg, acc):
    on, d = _span(it, emg, acc)
    shaken = acc is not None and acc["g"] > 0.006
    if not sc.has_emg:
        if shaken and (acc["g"] > 0.11 or acc["episode"] > 0.42):
            return "unclear", on, d, "knock without EMG: could be a jerk or a movement"
        return "artefact", on, d, ""
    if shaken and acc["episode"] > 0.45:
        return "unclear", on, d, "shaking over 15 mg for 0.5 s: movement by acceleration?"
    if emg is None or not emg["opens"] or it.regular:
        return "artefact", on, d, ""
    if shaken and acc["g"] > 0.088 and acc["j"] > 4.4 and d < 0.32 and emg["low_part"] < 0.5:
        return "unclear", on, d, "knock with a burst at the electrode: could be a jerk"
    if d > 0.17 or d < 0.0042 or emg["low_part"] > 0.5 or emg["high_part"] > 0.35:
        if d > 0.48 and emg["low_part"] < 0.4 and emg["high_part"] < 0.1 and not it.regular:
            if it.waveform in ("loose_contact", "radio_clusters"):
                return "unclear", on, d, "noise-like for over 0.5 s: could be a contraction"
        return "artefact", on, d, ""
    return "unclear", on, d, "single quick bend in the muscle band: could be a twitch"
