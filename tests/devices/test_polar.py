"""The driver of Polar's sensors: the kit, dialogues and simulated peripherals."""

from __future__ import annotations

import pytest

from firmware_sim.peers.polar import PolarSensor
from tests.devices.polar_case import case_of, polar_case, polar_session
from twitchsense.devices.contract import Advertised, StartRefusedError
from twitchsense.devices.polar.polar_decoder import DATA_UUID
from twitchsense.devices.polar.polar_driver import SERVICE_UUID, PolarDriver
from twitchsense.errors import InputError
from twitchsense.testing import check_driver, surviving_mutations
from twitchsense.testing.driver_case import decode_case


@pytest.mark.parametrize(
    ("product", "options", "sensor"),
    [
        ("h10", {}, {}),
        ("h10", {"rate": "200", "range": "2", "ecg": "no"}, {"frame_type": 2}),
        ("oh1", {}, {}),
        ("sense", {}, {"frame_type": 0}),
        ("sense", {"rate": "416", "range": "16"}, {"frame_type": 1}),
        ("360", {"rate": "25"}, {"frame_type": 1}),
    ],
)
def test_the_kit_passes_with_loss_and_a_new_battery(product, options, sensor):
    check_driver(PolarDriver(), polar_case(product, options=options, **sensor))


@pytest.mark.parametrize("product", ["h10", "sense"])
def test_the_kit_notices_every_wrong_driver(product):
    assert surviving_mutations(PolarDriver(), polar_case(product)) == []


@pytest.mark.parametrize("ppm", [-15_000.0, 0.0, 15_000.0])
@pytest.mark.parametrize("product", ["h10", "sense"])
def test_the_loss_is_the_true_one(product, ppm):
    case = polar_case(product, loss=0.3, seconds=200, restart=False, ppm=ppm)
    assert all(expected.lost > 1000 for expected in case.expected.values())
    check_driver(PolarDriver(), case)


def test_frames_that_a_small_mtu_cuts_are_refused_and_nothing_else_changes():
    sensor = PolarSensor("sense", cut_every=4)
    session = polar_session(sensor)
    session.open()
    session.run(60)
    whole = [m for m in session.log if m.characteristic != DATA_UUID or m.data in sensor.frames]
    cut = len(session.log) - len(whole)
    assert cut > 10
    check_driver(PolarDriver(), case_of(session, sensor, refused=cut))


def test_frames_that_wait_in_the_device_keep_their_times():
    sensor = PolarSensor("h10", stalls=((20.0, 34.0), (60.0, 61.0)))
    session = polar_session(sensor)
    session.open({"ecg": "no"})
    session.run(90)
    case = case_of(session, sensor, with_loss=True)
    assert case.expected["acc"].lost == 0
    check_driver(PolarDriver(), case)


def test_samples_of_an_outage_are_ambiguous_and_those_of_the_radio_exact():
    sensor = PolarSensor("h10", seed=2)
    session = polar_session(sensor, loss=0.2)
    session.open({"ecg": "no"})
    session.run(60)
    session.disconnect()
    session.wait_disconnected(30.0)
    session.open({"ecg": "no"})
    session.run(60)
    loss = decode_case(PolarDriver(), tuple(session.log)).loss["acc"]
    assert loss.ambiguous == pytest.approx(30 * 100, abs=150)
    assert loss.exact % 36 == 0
    assert 0 < loss.exact <= 36 * len(session.lost)


def test_a_clock_reset_without_a_command_is_a_new_run():
    sensor = PolarSensor("h10")
    session = polar_session(sensor)
    session.open({"ecg": "no"})
    session.run(20)
    first = len(session.log)
    sensor.reboot(session.now_s)
    session.open({"ecg": "no"})
    session.run(20)
    log = [m for i, m in enumerate(session.log) if i < first or m.characteristic == DATA_UUID]
    check_driver(PolarDriver(), case_of(session, sensor, log=log))


def test_recognition():
    driver = PolarDriver()
    by_service = driver.recognize(Advertised("", frozenset({SERVICE_UUID})))
    by_name = driver.recognize(Advertised("Polar Sense 0A1B2C3D"))
    other = driver.recognize(Advertised("Polar Vantage V3 0A1B2C3D"))
    assert by_service > by_name > other > 0
    assert driver.recognize(Advertised("", frozenset(), {0x6B: b"\x01"})) == other
    assert driver.recognize(Advertised("NPG-Lite-3CH:0A:1B")) == 0


def opened(product, options=None, **sensor_options):
    sensor = PolarSensor(product, **sensor_options)
    session = polar_session(sensor)
    session.open(options)
    return sensor, session


def test_the_preferred_settings_are_chosen_among_those_on_offer():
    sensor, session = opened("h10")
    assert (sensor.running[2].rate, sensor.running[2].range_g) == (100, 8)
    assert sensor.running[0].rate == 130
    session.close()
    assert sensor.running == {}
    sensor, _ = opened("oh1")
    assert (sensor.running[2].rate, sensor.running[2].range_g) == (50, 8)


@pytest.mark.parametrize("options", [{}, {"rate": "208"}, {"range": "2"}])
def test_a_device_with_an_sdk_mode_is_in_it_while_it_streams(options):
    sensor, session = opened("sense", options)
    assert sensor.sdk_mode
    assert sensor.running[2].rate == float(options.get("rate", 104))
    assert sensor.running[2].range_g == float(options.get("range", 8))
    session.disconnect()
    session.open(options)
    assert sensor.sdk_mode
    session.close()
    assert not sensor.sdk_mode


@pytest.mark.parametrize(
    ("product", "options", "says"),
    [
        ("h10", {"rate": "208"}, "25, 50, 100, 200"),
        ("sense", {"range": "3"}, "2, 4, 8, 16"),
        ("h10", {"rate": "fast"}, "not a number"),
        ("h10", {"ecg": "maybe"}, "yes or no"),
    ],
)
def test_an_option_that_is_not_on_offer_is_refused_with_the_choice(product, options, says):
    with pytest.raises(InputError, match=says):
        opened(product, options)


@pytest.mark.parametrize(("error", "says"), [(13, "charger"), (6, "another program"), (99, "99")])
def test_a_device_that_does_not_start_says_why(error, says):
    with pytest.raises(StartRefusedError, match=says):
        opened("h10", start_error=error)


def test_streams_that_run_already_are_stopped_first():
    sensor, session = opened("h10")
    session.open({"rate": "50"})
    assert sensor.running[2].rate == 50
