"""One run with a wearable that may be broken, and the checks that must see it.

`run_mutated` first sends unusual requests as another client, then records a night of 45 s over a
small MTU, with a disconnection, skipped samples, a button press, and an outage longer than the
ring buffer. The truth is collected inside the firmware, before it is encoded.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import numpy as np
from bleak import BleakClient
from bleak.exc import BleakError

import twitchsense as ts
from firmware_sim.wearable.faults import parse_faults
from firmware_sim.wearable.plug import WearableOptions, open_air
from firmware_sim.wearable.virtual_time import run_virtual
from tests.nightfile.builders import T0, Noise
from twitchsense.acquire.adapter import Adapter, AdapterError
from twitchsense.acquire.recorder import Recorder
from twitchsense.errors import TwitchsenseError
from twitchsense.nightfile.loss_report import read_loss_reports
from twitchsense.nightfile.reader import NightFileReader
from twitchsense.nightfile.writer import NightFileWriter

BOOT = 263  # 7 in frames
DRIFT = 20e-6
PRESS = 14.0  # s after the recorder began
FAULTS = f"hangup@8,skip@12=0.4,button@{PRESS:g},range@18+18"
SECONDS = 45.0
SESSION = 0xA1B2C3D4
OTHER_SESSION_ID = 0x01020304
_UUID = "b5a9000{}-3f7c-4e51-a8d2-6b1c0e94d37f".format
_SHORT = "0000{}-0000-1000-8000-00805f9b34fb".format
#: Device information, as docs/protocol.md has it, and what this wearable must say.
TEXTS = {
    "manufacturer": (_SHORT("2a29"), b"twitchsense"),
    "model": (_SHORT("2a24"), b"simulated"),
    "serial": (_SHORT("2a25"), b"5453000000000001"),
    "firmware": (_SHORT("2a26"), b"1.0"),
}


@dataclass
class MutationRun:
    """What the firmware produced, and what was recorded."""

    path: object
    #: (type, flags, tick, samples) of each frame, by sequence
    true: list = field(default_factory=list)
    boot_s: float = 0.0
    asked_at: int = 0  # ticks at the last request
    press_s: float = 0.0
    #: sequence numbers of the frames that the full ring buffer overwrote
    gone: set = field(default_factory=set)
    #: request -> (expected response, response)
    asked: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    left: tuple = ()


def run_mutated(path, mutate=""):
    """Spend an run, in virtual time."""
    run = MutationRun(path)
    plan = WearableOptions(
        leg="left", source=lambda model: Noise(), boot_count=BOOT, drift_ppm=DRIFT * 1e6,
        error_rate=0.0, ring_frames=100, mutate=mutate,
    )  # fmt: skip

    async def record():
        loop = asyncio.get_running_loop()
        async with open_air(wearable_options=[plan], mtu=185) as air:
            (wearable,) = air.wearables
            run.boot_s = wearable.boot_time_s
            firmware = wearable.firmware
            collect_truth(run, firmware)
            await send_unusual_requests(run, air, firmware)
            now_ns = lambda: T0 + round(loop.time() * 1e9)  # noqa: E731
            file = NightFileWriter(path, {"session": str(SESSION)})
            radio = Adapter(air.scanner, air.client)
            recorder = Recorder(radio, file, [wearable.model.name], now_ns=now_ns, inline=True)
            recorder.sessions[0].rng = random.Random(1)
            run.press_s = loop.time() + PRESS
            stop = asyncio.Event()
            loop.call_later(SECONDS, stop.set)
            troubles = asyncio.ensure_future(wearable.inject_faults(parse_faults(FAULTS)))
            await recorder.run(stop)
            await troubles
            file.close()
            run.left = (firmware.session, firmware.ring.oldest, firmware.ring.next)

    run_virtual(record())
    return run


def collect_truth(run, firmware):
    store = firmware.store_frame

    def note(type_, flags, tick, counts):
        run.true.append((type_, flags, tick, counts))
        oldest, dropped = firmware.ring.oldest, firmware.ring.dropped
        store(type_, flags, tick, counts)
        if firmware.ring.dropped > dropped:
            run.gone.add(oldest)

    def answer(request):
        run.asked_at = firmware.ticks
        return control(request)

    control, firmware.control = firmware.control, answer
    firmware.store_frame = note


async def send_unusual_requests(run, air, firmware):
    """Read and request what the recorder never does, and compare the responses byte by byte."""
    with_air = Adapter(air.scanner, air.client)
    try:
        (sighting,) = await with_air.scan(5)
    except (AdapterError, ValueError):
        return
    gone = asyncio.Event()
    client = BleakClient(sighting.device, lambda _: gone.set(), backend=air.client)
    await client.connect()
    answers = asyncio.Queue()

    async def ask(name, request, right):
        while not answers.empty():
            answers.get_nowait()
        got = None
        try:
            await client.write_gatt_char(_UUID(3), bytes.fromhex(request), response=True)
            got = await asyncio.wait_for(answers.get(), 1)
        except (BleakError, TimeoutError) as error:
            got = str(error)
        right = right() if callable(right) else right
        run.asked[name] = (right if isinstance(right, str) else right.hex(), got)

    def state(head):
        ring = firmware.ring
        words = (firmware.session, ring.oldest, ring.next, ring.dropped)
        return bytes.fromhex(head) + b"\x07" + b"".join(w.to_bytes(4, "little") for w in words)

    def listen(_, data):
        answers.put_nowait(bytes(data).hex())

    try:
        for name, (uuid, _) in TEXTS.items():
            run.texts[name] = bytes(await client.read_gatt_char(uuid))
        await ask("before notifications", "05 01", ": 253>")  # 0xFD
        await client.start_notify(_UUID(3), listen)
        await ask("unknown op", "09 02", bytes.fromhex("89 02 01"))
        await ask("bad length", "05 03 00", bytes.fromhex("85 03 02"))
        await ask("bad argument", "01 04 00000000 00", bytes.fromhex("81 04 03"))
        await ask("start", "01 05 04030201 00", lambda: state("81 05 00"))
        await ask("start of another", "01 06 05030201 00", lambda: state("81 06 04"))
        await ask("stop of another", "02 06 05030201", lambda: state("82 06 04"))
        await asyncio.sleep(8)  # more than the ring holds
        await ask("state", "05 07", lambda: state("85 07 00"))
        await ask("not stored", "03 08 00000000 01000000", bytes.fromhex("83 08 05"))
        first, last = max(0, firmware.ring.oldest - 3), max(0, firmware.ring.next - 1)
        ends = first.to_bytes(4, "little").hex() + last.to_bytes(4, "little").hex()
        # data are not subscribed: nothing goes out, so that frames go from the ring alone
        await ask(
            "resend", "03 09" + ends,
            lambda: bytes.fromhex("83 09 00") + firmware.ring.oldest.to_bytes(4, "little")
            + last.to_bytes(4, "little"),
        )  # fmt: skip
        one = last.to_bytes(4, "little").hex() * 2
        for number in range(7):
            await ask(f"resend {number}", "03 0a" + one, bytes.fromhex("83 0a 00" + one))
        await ask("busy", "03 0b" + one, bytes.fromhex("83 0b 06"))
        await ask("clock", "06 0c", lambda: bytes.fromhex("86 0c 00") + run.asked_at.to_bytes(
            8, "little") + BOOT.to_bytes(4, "little"))  # fmt: skip
    except (BleakError, TimeoutError) as error:
        run.asked["all"] = ("answers", f"{type(error).__name__}: {error}")
    finally:
        await client.disconnect()
        await asyncio.sleep(1)


# -- checks ----------------------------------------------------------------------------------


def link(run):
    """The log of the connection tells the hang-up and the outage, and nothing else."""
    reader = NightFileReader(run.path)
    rows = reader.query("SELECT event, detail FROM link ORDER BY id")
    reader.close()
    usual = ("the connection was lost", "ts-0001 does not advertise")
    odd = [f"{e}: {d}" for e, d in rows
           if e not in ("connected", "take_over", "stopped") and not d.endswith(usual)]  # fmt: skip
    connected = [e for e, _ in rows].count("connected")
    if connected == 3 and not odd and rows[0][0] == "take_over":
        return ""
    return f"connected {connected} times; {odd[:1] or rows[:1]}"


def damaged(run):
    """No notification was unreadable."""
    reader = NightFileReader(run.path)
    reasons = reader.query("SELECT reason, count(*) FROM damaged GROUP BY reason")
    reader.close()
    return ", ".join(f"{reason}: {n}" for reason, n in reasons)


def book(run):
    """Every frame came, or is told lost because the ring was full."""
    books = [b for b in read_loss_reports(run.path) if b.count == BOOT]
    if len(books) != 1:
        return "no book of the boot"
    (book,) = books
    lost = book.lost.pop("ring_overflow", 0)
    if book.unresolved or book.lost or book.unbounded_loss:
        return f"open {book.unresolved[:2]}, lost {book.lost}"
    if book.received + lost + book.begin != len(run.true):
        return f"{book.received} received, {lost} lost of {len(run.true)}"
    came = set(_frames(run)[2])
    gone = sum(seq >= book.begin and seq not in came for seq in run.gone)
    return "" if lost == gone > 100 else f"{lost} told as ring_overflow, {gone} overwritten"


def _frames(run):
    reader = NightFileReader(run.path)
    source = reader.boots[0]
    batches = list(reader.frames(source))
    arrival = [n for (n,) in reader.query("SELECT seq FROM packet ORDER BY id")]
    reader.close()
    return source, batches, arrival


def info(run):
    """What the device said of itself is in the night file."""
    source, _, _ = _frames(run)
    told = source.info
    emg, acc = told.streams[0], told.streams[1]
    right = {
        "minor": (told.minor, 0), "leg": (told.leg, "left"), "tick_hz": (told.tick_hz, 32768),
        "device": (told.device, 0x5453000000000001), "streams": (len(told.streams), 2),
        "kind": ((emg.kind, acc.kind), ("emg", "acc")),
        "rate_mhz": ((emg.rate_mhz, acc.rate_mhz), (1_000_000, 100_000)),
    }  # fmt: skip
    return "; ".join(f"{k} is {a}, not {b}" for k, (a, b) in right.items() if a != b)


def samples(run):
    """Each stream's samples, in physical units and at their time, are the body's own."""
    recording = ts.read(run.path)
    noise = Noise()
    have = set(_frames(run)[2])
    for name, type_, fs, factor, column in [
        ("emg1_left", 1, 1000, 0.2, slice(0, 1)),
        ("emg2_left", 1, 1000, 0.2, slice(1, 2)),
        ("acc_left", 2, 100, 8 / 32768, slice(None)),
    ]:
        true = noise.read(type_, 0, 120 * fs)[:, column] * factor
        total = sum(len(f[3]) for seq, f in enumerate(run.true) if seq in have
                    and f[0] == type_)  # fmt: skip
        segments = recording.segments_of(name)
        got = sum(len(s.samples) for s in segments)
        if got != total:
            return f"{name}: {got} samples instead of {total}"
        for segment in segments:
            part = segment.samples.read(0, len(segment.samples))
            starts = np.ones(len(true) - 4, bool)
            for i in range(4):
                starts &= np.isclose(true[i : i - 4], part[i], atol=1e-4).all(axis=1)
            found = [k for k in np.flatnonzero(starts).tolist()
                     if true[k : k + len(part)].shape == part.shape
                     and np.allclose(part, true[k : k + len(part)], atol=1e-4)]  # fmt: skip
            if len(found) != 1:
                return f"{name}: samples are nowhere in the truth"
            (first,) = found
            at = T0 + (run.boot_s + first / fs / (1 + DRIFT)) * 1e9
            off_ms = (recording.start_utc_ns + segment.start_ns - at) / 1e6
            if abs(off_ms) > 20:
                return f"{name}: {off_ms:.0f} ms off"
    return ""


def flags(run):
    """REPLAY stands on what was sent again and on nothing else, GAP where samples lack."""
    _, batches, arrival = _frames(run)
    newest = np.maximum.accumulate(arrival)
    late = {seq for seq, top in zip(arrival, newest.tolist(), strict=True) if seq < top}
    for batch in batches:
        for seq, told in zip(batch.seq.tolist(), batch.flags.tolist(), strict=True):
            if (seq in late) != bool(told & 1):
                return f"REPLAY {'missing from' if seq in late else 'on'} frame {seq}"
            if told & 2 != run.true[seq][1]:
                return f"GAP wrong in frame {seq}"
    return ""


def marker(run):
    """The button is told at its time."""
    recording = ts.read(run.path)
    told = [note for note in recording.notes if "button" in note]
    second = int(T0 // 1_000_000_000 + run.press_s)
    right = "{:02d}:{:02d}:{:02d}".format(*(second // n % m for n, m in
                                             [(3600, 24), (60, 60), (1, 60)]))  # fmt: skip
    return "" if len(told) == 1 and f" {right} " in told[0] else f"told at {told}, was {right}"


def device(run):
    """Serial number, firmware and battery are in the night file."""
    reader = NightFileReader(run.path)
    rows = reader.query("SELECT name, serial, firmware FROM device")
    percents = {percent for _, _, percent in reader.battery_readings()}
    reader.close()
    right = ("ts-0001", "5453000000000001", "1.0")
    wrong = [f"{k} is {a}" for k, a, b in zip(("name", "serial", "firmware"), rows[0], right,
                                             strict=True) if a != b]  # fmt: skip
    return "; ".join(wrong + ([] if percents == {100} else [f"battery is {percents}"]))


def left_over(run):
    """At the end the wearable rests, and has freed all that is on disk."""
    session, oldest, next_ = run.left
    if session:
        return f"samples on for session {session:08x}"
    return "" if oldest == next_ else f"{next_ - oldest} frames not freed"


def answers(run):
    """The control point answers odd questions to the letter."""
    wrong = [f"{name}: {got} instead of {right}" for name, (right, got) in run.asked.items()
             if (right not in str(got) if name == "before notifications" else right != got)
             ]  # fmt: skip
    return "; ".join(wrong) or ("" if len(run.asked) == 19 else "not all was asked")


def information(run):
    """Device information reads as it must."""
    wrong = [n for n, (_, right) in TEXTS.items() if run.texts.get(n) != right]
    return ", ".join(wrong)


#: In this order; the first that is red is the one that counts.
CHECKS = {
    "link": link,
    "damaged": damaged,
    "book": book,
    "info": info,
    "samples": samples,
    "flags": flags,
    "marker": marker,
    "device": device,
    "left over": left_over,
    "answers": answers,
    "device information": information,
}


def first_failure(run):
    """Return the name of the first check that fails and what it says, or two empty texts."""
    for name, check in CHECKS.items():
        try:
            said = check(run)
        except TwitchsenseError as error:
            said = f"{type(error).__name__}: {error}"
        if said:
            return name, said
    return "", ""
