"""kit_h: recordings of a leg at home with consumer wearables, composed with exact truth. See KIT.md."""
import zlib

import numpy as np

from . import families_body as body
from . import families_home as home
from .device import Device
from .kinds import Composed, Truth
from .stage import Stage

_MINUTES = 20.0

# name: (filling, device, sentence)
_TABLE = {
    "evening_coffee": (body.evening_coffee, dict(emg_fs=500, bits=12, acc_fs=50.0, acc_bits=12),
                       "On the sofa after coffee: single twitches of all shapes, runs of one unit, doublets, a few movements."),
    "after_exercise": (body.after_exercise, dict(emg_fs=1000, bits=16, rail_uv=5200, acc_fs=100.0, acc_bits=12, high_hz=10.0),
                       "After a run: frequent twitches of several units while sweat shorts the electrodes; cramps; sweat waves."),
    "falling_asleep": (body.falling_asleep, dict(emg_fs=500, bits=14, rail_uv=4000, acc_fs=52.0, acc_bits=12, high_hz=2.0),
                       "Sleep starts of one or two bursts, small twitches, turning over, blanket knocks."),
    "jerk_trains": (body.jerk_trains, dict(emg_fs=1000, bits=16, rail_uv=6000, acc_fs=104.0, acc_bits=14, acc_range_g=8.0),
                    "Myoclonic jerks of 1-10 bursts at 2-20 Hz, and bursts that hardly move the leg."),
    "jerk_size_free": (body.jerk_size_free, dict(emg_fs=500, bits=16, rail_uv=5500, acc_fs=100.0, acc_bits=10, acc_range_g=4.0),
                       "Jerks with tiny EMG and violent motion or the reverse, large twitches without motion, silent knocks."),
    "periodic_night": (body.periodic_night, dict(emg_fs=500, bits=12, acc_fs=25.0, acc_bits=10, acc_range_g=2.0, mains_uv=2.5),
                       "Leg movements that come back every 14-34 s, with turning over, twitches and a few jerks."),
    "restless_turning": (body.restless_turning, dict(emg_fs=500, bits=12, acc_fs=50.0, acc_bits=8, acc_range_g=4.0, noise_uv=3.5),
                         "A restless sleeper: turns, leg put elsewhere, band slips, between them twitches and jerks."),
    "foot_tapping": (body.foot_tapping, dict(emg_fs=250, bits=12, acc_fs=50.0, acc_bits=10, high_hz=8.0),
                     "Foot tapping at 0.9-2.6 Hz as one movement each, single short contractions, twitches, jerks."),
    "night_cramps": (body.night_cramps, dict(emg_fs=1000, bits=12, rail_uv=3300, acc_fs=62.5, acc_bits=12, mains_hz=60.0),
                     "Cramps with single units before them and no motion, runs of benign twitches, few jerks."),
    "household_walking": (body.household_walking, dict(emg_fs=500, bits=12, rail_uv=3300, acc_fs=100.0, acc_bits=10, acc_range_g=16.0, noise_uv=3.0),
                          "Housework: walks and held muscle with twitches in them, heel knocks on the electrode, twitches at rest."),
    "hiccups": (body.hiccups, dict(emg_fs=400, bits=12, acc_fs=50.0, acc_bits=12, mains_hz=60.0),
                "Hiccups and coughs jolt the leg without leg EMG (unclear), among true jerks and twitches."),
    "emg_patch_two": (body.emg_patch_two, dict(emg_fs=1000, channels=2, bits=16, rail_uv=6000, acc_fs=0.0),
                      "EMG patch with two channels and no accelerometer: twitches, movements, heart beats, clicks."),
    "acc_band_only": (body.acc_band_only, dict(emg_fs=0, acc_fs=50.0, acc_bits=12, acc_range_g=8.0),
                      "Accelerometer only: jerks, turns, walks, kicks, knocks."),
    "heating_blanket": (home.heating_blanket, dict(emg_fs=500, bits=12, acc_fs=50.0, acc_bits=10, mains_uv=3.0),
                        "Electric blanket: hum with dimmer spikes and clicks of the thermostat, twitches and jerks in it."),
    "phone_charger": (home.phone_charger, dict(emg_fs=1000, bits=10, acc_fs=100.0, acc_bits=12, mains_hz=60.0, mains_uv=2.0),
                      "Charger pulses, phone radio, touches and clicks on a 10-bit amplifier, with twitches and jerks."),
    "slipping_band": (home.slipping_band, dict(emg_fs=500, bits=12, acc_fs=25.0, acc_bits=8, noise_uv=4.0, breathe=0.3, high_hz=1.0),
                      "Dry electrodes on a loose band: steps that creep back, stick-slip, open leads, into the rail."),
    "sweaty_sleeve": (home.sweaty_sleeve, dict(emg_fs=250, bits=16, rail_uv=8000, acc_fs=26.0, acc_bits=10, high_hz=0.7, wander_uv=400.0,
                                               pink=1.4),
                      "Textile sleeve, sweat: slow waves of millivolts, gain falling to half, periodic movements, twitches."),
    "pets_and_partner": (home.pets_and_partner, dict(emg_fs=500, bits=12, acc_fs=100.0, acc_bits=12, acc_range_g=2.0),
                         "Cat, dog and partner shake the bed; knocks of the band; true jerks and twitches among them."),
    "washing_machine": (home.washing_machine, dict(emg_fs=800, bits=12, acc_fs=25.0, acc_bits=12, acc_range_g=8.0),
                        "Spin cycles shake the floor at 5-21 Hz (aliased at 25 Hz) while jerks and twitches go on."),
    "lost_packets": (home.lost_packets, dict(emg_fs=500, bits=12, acc_fs=50.0, acc_bits=10),
                     "Radio packets lost on one or both sensors (NaN), 20 ms to 30 s, among twitches, jerks, movements."),
    "eight_bit_band": (home.eight_bit_band, dict(emg_fs=250, bits=8, rail_uv=1280.0, acc_fs=31.25, acc_bits=8, acc_range_g=8.0, noise_uv=4.0),
                       "8-bit converter of 10 uV a step that also clips, accelerometer of 62 mg a step."),
    "slow_tracker": (home.slow_tracker, dict(emg_fs=200, bits=10, acc_fs=25.0, acc_bits=10, acc_range_g=4.0, mains_hz=60.0),
                     "200 Hz EMG with hum near the fold, 25 Hz accelerometer: jerks, twitches, tapping."),
    "quiet_night": (home.quiet_night, dict(emg_fs=500, bits=12, acc_fs=52.0, acc_bits=12, mains_uv=2.0),
                    "Almost nothing from the wearer: rustle, static, a lamp, heart beats; a handful of true events."),
}

FAMILIES = {name: row[2] for name, row in _TABLE.items()}


def compose(family, seed):
    """One recording with its truth; the same for the same family and seed."""
    fill, wanted, _ = _TABLE[family]
    rng = np.random.default_rng([int(seed), zlib.crc32(family.encode())])
    device = Device(**wanted)
    device.noise_uv *= float(np.exp(rng.uniform(-0.3, 0.3)))
    device.mains_uv *= float(np.exp(rng.uniform(-0.7, 0.5)))
    device.acc_noise_g *= float(np.exp(rng.uniform(-0.5, 0.8)))
    stage = Stage(rng, device, _MINUTES, family, int(seed))
    fill(stage)
    return stage.finish()


__all__ = ["FAMILIES", "Composed", "Truth", "compose"]
