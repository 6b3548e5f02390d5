"""The simulated wearable on the air: frames, ring, control point, Bluetooth, faults.

Nothing here is imported by the capture simulator, so that it needs no Bluetooth library.
"""
