"""Acquisition over Bluetooth: adapter, connection, session, recorder."""
