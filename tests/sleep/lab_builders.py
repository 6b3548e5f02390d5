"""One night in the formats of sleep laboratories: 5 min wake, 2 min N1, 10 min N2, two apneas."""

from __future__ import annotations

from datetime import datetime, timedelta

START = datetime(2026, 3, 1, 22, 30)
#: Stage, number of 30-s epochs.
STAGES = (("W", 10), ("N1", 4), ("N2", 20))
#: Onset and duration in s, name.
EVENTS = ((430.5, 15.0, "Obstructive Apnea"), (500.0, 20.25, "Hypopnea"), (510.0, 4.0, "Arousal"))

PROFUSION = {"W": 0, "N1": 1, "N2": 2, "N3": 3, "R": 5, "?": 9}
CONCEPTS = {"W": "Wake|0", "N1": "Stage 1 sleep|1", "N2": "Stage 2 sleep|2"}


def epochs(stages=STAGES):
    """Yield each epoch: its number and its stage."""
    words = [stage for stage, count in stages for _ in range(count)]
    yield from enumerate(words)


def clock(seconds, start=START, decimal="."):
    text = (start + timedelta(seconds=seconds)).strftime("%H:%M:%S.%f")[:-3]
    return text.replace(".", decimal)


def nsrr(stages=STAGES, events=EVENTS, start="01.01.00 22.30.00"):
    rows, onset = [], 0
    if start:
        rows.append(f"<ScoredEvent><EventType/><EventConcept>Recording Start Time</EventConcept>"
                    f"<Start>0</Start><Duration>1020</Duration><ClockTime>{start}</ClockTime>"
                    "</ScoredEvent>")  # fmt: skip
    for stage, count in stages:
        rows.append(
            "<ScoredEvent><EventType>Stages|Stages</EventType>"
            f"<EventConcept>{CONCEPTS.get(stage, stage)}</EventConcept><Start>{onset}</Start>"
            f"<Duration>{30 * count}</Duration></ScoredEvent>"
        )
        onset += 30 * count
    for onset_s, length, name in events:
        kind = "Arousals|Arousals" if "Arousal" in name else "Respiratory|Respiratory"
        rows.append(
            f"<ScoredEvent><EventType>{kind}</EventType>"
            f"<EventConcept>{name.capitalize()}|{name}</EventConcept><Start>{onset_s}</Start>"
            f"<Duration>{length}</Duration><SignalLocation>FLOW</SignalLocation></ScoredEvent>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<PSGAnnotation>'
        "<SoftwareVersion>Compumedics</SoftwareVersion><EpochLength>30</EpochLength>"
        f"<ScoredEvents>{''.join(rows)}</ScoredEvents></PSGAnnotation>"
    )


def profusion(stages=STAGES, events=EVENTS):
    numbers = "".join(f"<SleepStage>{PROFUSION[s]}</SleepStage>" for _, s in epochs(stages))
    rows = "".join(
        f"<ScoredEvent><Name>{name}</Name><Start>{onset}</Start><Duration>{length}</Duration>"
        "<Input>Flow</Input></ScoredEvent>"
        for onset, length, name in events
    )
    return (
        "<CMPStudyConfig><EpochLength>30</EpochLength><StepDuration>1</StepDuration>"
        f"<ScoredEvents>{rows}</ScoredEvents><SleepStages>{numbers}</SleepStages></CMPStudyConfig>"
    )


def luna(stages=STAGES, events=EVENTS, form="seconds"):
    rows = ["# N1 | stage", "class\tinstance\tchannel\tstart\tstop\tmeta"]
    for k, stage in epochs(stages):
        start, stop = {
            "seconds": (f"{30 * k}", f"{30 * k + 30}"),
            "duration": (f"{30 * k}", "+30"),
            "clock": (clock(30 * k), clock(30 * k + 30)),
            "dated": (f"01-03-26-{clock(30 * k)}", f"01-03-26-{clock(30 * k + 30)}"),
            "elapsed": (f"0+{timedelta(seconds=30 * k)!s:0>8}", "+30"),
            "epochs": (f"e:{k + 1}", "."),
            "until": (f"{30 * k}", "..."),
        }[form]
        rows.append(f"{stage}\t.\t.\t{start}\t{stop}\t.")
    if form == "until":
        rows.append("lights_on\t.\t.\t1020\t1021\t.")
    for onset, length, name in events:
        start, stop = (f"{onset}", f"{onset + length}")
        if form == "clock":
            start, stop = clock(onset), clock(onset + length)
        elif form == "dated":
            start, stop = f"01-03-2026-{clock(onset)}", f"+{length}"
        rows.append(f"{name.lower().replace(' ', '_')}\t.\tFLOW\t{start}\t{stop}\t.")
    return "\n".join(rows) + "\n"


def remlogic(stages=STAGES, events=EVENTS):
    words = {"W": "S0", "N1": "S1", "N2": "S2", "R": "REM"}
    rows = [(30 * k, f"SLEEP-{words[s]}", 30) for k, s in epochs(stages)]
    rows += [(onset, "APNEA-OBSTRUCTIVE" if "Apnea" in name else name.upper(), length)
             for onset, length, name in events]  # fmt: skip
    lines = [
        f"S2\tSupine\t{clock(t)[:8] if t == int(t) else clock(t)}\t{w}\t{d:g}\tROC-LOC"
        for t, w, d in sorted(rows)
    ]
    head = "RemLogic Event Export\nPatient:\tX\nPatient ID:\t1\nRecording Date:\t01/03/2026\n\n"
    columns = "Sleep Stage\tPosition\tTime [hh:mm:ss]\tEvent\tDuration[s]\tLocation\n"
    return head + columns + "\n".join(lines) + "\n"


def domino_profile(stages=STAGES):
    words = {"W": "Wake", "R": "Rem", "?": "A"}
    rows = [f"{clock(30 * k, decimal=',')}; {words.get(s, s)}" for k, s in epochs(stages)]
    head = (
        "Signal ID: SchlafProfil\\profil\nStart Time: 01.03.2026 22:30:00\nUnit: \n"
        "Signal Type: Discret\nEvents list: N4,N3,N2,N1,Rem,Wake,Movement\nRate: 30 s\n\n"
    )
    return head + "\n".join(rows) + "\n"


def domino_events(events=EVENTS, start=START):
    rows = [f"{clock(t, start, ',')}-{clock(t + d, start, ',')}; {d:.0f};{n}" for t, d, n in events]
    head = (
        f"Signal ID: FlowD\\flow\nStart Time: {start:%d.%m.%Y %H:%M:%S}\nUnit: s\n"
        "Signal Type: Impuls\n\n"
    )
    return head + "\n".join(rows) + "\n"
