"""The driver of Movesense sensors: the kit, dialogues and simulated peripherals."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.peers.movesense import MovesenseSensor
from tests.devices.movesense_case import case_of, movesense_case, movesense_session
from twitchsense.devices.contract import Advertised, StartRefusedError
from twitchsense.devices.movesense.movesense_decoder import NOTIFY_UUID
from twitchsense.devices.movesense.movesense_driver import SERVICE_UUID, MovesenseDriver
from twitchsense.errors import InputError
from twitchsense.testing import check_driver, surviving_mutations
from twitchsense.testing.driver_case import decode_case


@pytest.mark.parametrize(
    "case",
    [
        {"options": {"ecg": "500"}},
        {"options": {"rate": "13", "ecg": "125"}, "has_mv": False},
        {"options": {"rate": "208"}},  # in two parts
        {"options": {"rate": "1666"}, "step_s": 0.002, "seconds": 5.0},
        {"path": "/Meas/IMU6/52"},
        {"path": "/Meas/IMU9/104"},  # in two parts, of which the first is enough
        {"path": "/Meas/IMU6m/26", "clock_ms": 2**32 - 20_000},
    ],
)
def test_the_kit_passes_with_loss_and_a_new_battery(case):
    check_driver(MovesenseDriver(), movesense_case(**case))


@pytest.mark.slow
@pytest.mark.parametrize("case", [{"options": {"ecg": "512"}}, {"clock_ms": 2**32 - 20_000}])
def test_the_kit_notices_every_wrong_driver(case):
    assert surviving_mutations(MovesenseDriver(), movesense_case(**case)) == []


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [-20_000.0, 0.0, 20_000.0])
def test_the_loss_is_the_true_one(ppm):
    options = {"rate": "52", "ecg": "200"}
    case = movesense_case(options, loss=0.3, seconds=200, restart=False, ppm=ppm)
    assert all(expected.lost > 1000 for expected in case.expected.values())
    check_driver(MovesenseDriver(), case)


def test_an_overflow_in_the_sensor_is_no_multiple_of_a_packet():
    sensor = MovesenseSensor(overflow_every=100)
    session = movesense_session(sensor)
    session.open({"rate": "52"})
    session.run(120)
    loss = decode_case(MovesenseDriver(), tuple(session.log)).loss["acc"]
    assert loss.gaps > 10
    assert loss.exact == 7 * loss.gaps


def test_packets_that_wait_in_the_sensor_keep_their_times():
    sensor = MovesenseSensor(stalls=((20.0, 34.0), (60.0, 61.0)))
    session = movesense_session(sensor)
    session.open({"rate": "52"})
    session.run(90)
    case = case_of(session, sensor, with_loss=True)
    assert case.expected["acc"].lost == 0
    check_driver(MovesenseDriver(), case)


def test_packets_that_a_small_mtu_cuts_are_refused_and_nothing_else_changes():
    sensor = MovesenseSensor(cut_every=4)
    session = movesense_session(sensor)
    session.open({"rate": "52"})
    session.run(60)
    cut = [
        m
        for m in session.log
        if m.characteristic == NOTIFY_UUID and m.data[0] == 2 and m.data not in sensor.packets
    ]
    assert len(cut) > 100
    check_driver(MovesenseDriver(), case_of(session, sensor, refused=len(cut)))


@pytest.mark.parametrize("stall", [(), ((20.0, 24.0), (40.0, 50.0))])
def test_parts_of_two_payloads_are_never_joined(stall):
    """Four parts each, of which a third is lost, also while they arrive all at once."""
    case = movesense_case(path="/Meas/IMU9/208", loss=0.3, seconds=90, restart=False, stalls=stall)
    got = decode_case(MovesenseDriver(), case.log).samples["acc"]
    sent = {row.tobytes() for row in case.expected["acc"].samples}
    assert len(got) > 2000
    assert {row.tobytes() for row in got} <= sent
    assert len(got) <= len(case.expected["acc"].samples)


def test_recognition():
    driver = MovesenseDriver()
    by_service = driver.recognize(Advertised("", frozenset({SERVICE_UUID})))
    by_name = driver.recognize(Advertised("Movesense 223430000019"))
    assert by_service > by_name > 0
    assert driver.recognize(Advertised("Polar H10 1234")) == 0


def opened(options=None, **sensor_options):
    sensor = MovesenseSensor(**sensor_options)
    session = movesense_session(sensor)
    session.open(options)
    return sensor, session


def test_acceleration_alone_is_the_default_and_ecg_an_option():
    sensor, session = opened()
    assert [(one.kind, one.rate) for one in sensor.active.values()] == [("acc", 104)]
    session.open({"rate": "26", "ecg": "512"})
    assert [(one.kind, one.rate) for one in sensor.active.values()] == [
        ("acc", 26),
        ("ecg/mv", 512),
    ]
    session.close()
    assert sensor.active == {}


def test_firmware_without_millivolts_sends_counts():
    sensor, _ = opened({"ecg": "500"}, has_mv=False)
    assert [one.kind for one in sensor.active.values()] == ["acc", "ecg"]


@pytest.mark.parametrize(
    ("options", "says"), [({"rate": "100"}, "104, 208"), ({"ecg": "yes"}, "500, 512")]
)
def test_an_option_that_is_not_on_offer_is_refused_with_the_choice(options, says):
    with pytest.raises(InputError, match=says):
        opened(options)


def test_a_sensor_that_does_not_start_says_why():
    with pytest.raises(StartRefusedError, match="status 409"):
        opened(status=409)


def test_samples_of_an_outage_are_ambiguous_and_those_of_the_radio_exact():
    sensor = MovesenseSensor(seed=2)
    session = movesense_session(sensor, loss=0.2)
    session.open()
    session.run(60)
    session.disconnect()
    session.wait_disconnected(30.0)
    session.open()
    session.run(60)
    decoded = decode_case(MovesenseDriver(), tuple(session.log))
    loss = decoded.loss["acc"]
    assert loss.ambiguous == pytest.approx(30 * 104, abs=300)
    assert loss.exact % 8 == 0
    assert 0 < loss.exact <= 8 * len(session.lost)
    assert np.diff(decoded.times_s["acc"]).max() > 29
