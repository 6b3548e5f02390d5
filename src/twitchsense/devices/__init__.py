"""Drivers: one per wearable, pure functions from bytes to samples and back.

A driver opens no connection, reads no clock and writes no file; `acquire` does.
"""
