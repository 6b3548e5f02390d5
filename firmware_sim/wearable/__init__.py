"""The simulated wearable over Bluetooth: encoder, ring buffer, firmware, GATT server, faults.

The capture simulator imports nothing from this package and needs no Bluetooth library.
"""
