"""A plain reimplementation of the WASM 2016 clauses, changedst which the tests compare.

Written from the text of the clauses (docs/definitions.md, Leg movements from an event
list) without numpy, one movement at a time. It shares no code with the library and is
slow on purpose.
"""

from __future__ import annotations

from decimal import Decimal

HALF = Decimal("0.5")


def exact(seconds):
    """Return seconds as an exact decimal number."""
    return Decimal(repr(float(seconds)))


def join_leg(pieces):
    """Join any two pieces with a gap below 0.5 s until no such pair is left."""
    pieces = [list(piece) for piece in pieces]
    changed = True
    while changed:
        changed = False
        for a in range(len(pieces)):
            for b in range(a + 1, len(pieces)):
                (s1, e1), (s2, e2) = pieces[a], pieces[b]
                if max(s1, s2) - min(e1, e2) < HALF:
                    pieces[a] = [min(s1, s2), max(e1, e2)]
                    del pieces[b]
                    changed = True
                    break
            if changed:
                break
    return pieces


def movements(rows):
    """Return combined movements as dicts, from (onset, duration, leg) rows."""
    lms = []
    for leg in ("left", "right"):
        pieces = [(exact(o), exact(o) + exact(d)) for o, d, which in rows if which == leg]
        lms += [(s, e, leg) for s, e in join_leg(pieces) if e - s >= HALF]
    found = []
    for s, e, leg in sorted(lms):
        if found and s < found[-1]["end"] + HALF:
            last = found[-1]
            last["end"] = max(last["end"], e)
            last["pieces"].append((s, e, leg))
        else:
            found.append({"start": s, "end": e, "pieces": [(s, e, leg)]})
    for m in found:
        longest = max(e - s for s, e, _ in m["pieces"])
        m["bilateral"] = len(m["pieces"]) > 1
        if m["bilateral"]:
            m["clm"] = len(m["pieces"]) <= 4 and m["end"] - m["start"] <= 15 and longest <= 10
        else:
            m["clm"] = longest <= 10
    return found


def mark_periodic(moves, strict, key):
    """Mark the members of periodic series; return the number of series."""
    for m in moves:
        m[key], m["short"] = False, False
    current, count, before = [], 0, None

    def end_series():
        nonlocal count
        if len(current) >= 4:
            count += 1
            for member in current:
                member[key] = True
        current.clear()

    for m in moves:
        if not m["clm"]:
            end_series()
        elif before is None or not before["clm"]:
            end_series()
            current.append(m)
        else:
            imi = m["start"] - before["start"]
            if imi < 10:
                m["short"] = True
                end_series()
                if not strict:
                    current.append(m)
            elif imi > 90:
                end_series()
                current.append(m)
            else:
                current.append(m)
        before = m
    end_series()
    return count


def score(rows, epochs, events, strict):
    """Return the indices of `score_leg_movements`, from lists of tuples."""
    moves = movements(rows)
    for m in moves:
        m["stage"] = None
        for onset, duration, stage in epochs:
            if exact(onset) <= m["start"] < exact(onset) + exact(duration):
                m["stage"] = stage
        m["resp"] = False
        for onset, duration in events:
            end = exact(onset) + exact(duration)
            if m["end"] >= end - 2 and m["start"] <= end + Decimal("10.25"):
                m["resp"] = True
    rest = [m for m in moves if not (m["clm"] and m["resp"])]
    mark_periodic(rest, strict, "nr")
    n_series = mark_periodic(moves, strict, "plm")
    sleep = ("N1", "N2", "N3", "R")
    asleep_h = float(sum(exact(d) for _, d, s in epochs if s in sleep)) / 3600
    awake_h = float(sum(exact(d) for _, d, s in epochs if s == "W")) / 3600
    clm = [m for m in moves if m["clm"]]
    plm = [m for m in moves if m["plm"]]
    plms = [m for m in plm if m["stage"] in sleep]
    plmw = [m for m in plm if m["stage"] == "W"]
    nr = [m for m in rest if m["nr"]]
    nr_asleep = [m for m in nr if m["stage"] in sleep]
    clm_asleep = [m for m in clm if m["stage"] in sleep]
    return {
        "n_lm": len(moves),
        "n_bilateral_lm": sum(m["bilateral"] for m in moves),
        "n_clm": len(clm),
        "n_plm": len(plm),
        "n_plms": len(plms),
        "n_plmw": len(plmw),
        "n_series": n_series,
        "n_short_imi": sum(m["short"] for m in moves),
        "n_isolated": sum(not m["plm"] and not m["short"] for m in clm),
        "plms_index": len(plms) / asleep_h if asleep_h else None,
        "plmw_index": len(plmw) / awake_h if awake_h else None,
        "pi_sleep": len(plms) / len(clm_asleep) if clm_asleep else None,
        "n_clmr": sum(m["resp"] for m in clm),
        "n_clm_nr": sum(not m["resp"] for m in clm),
        "n_plm_nr": len(nr),
        "n_plms_nr": len(nr_asleep),
        "plms_nr_index": len(nr_asleep) / asleep_h if asleep_h else None,
    }
