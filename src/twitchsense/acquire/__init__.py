"""Acquisition over Bluetooth Low Energy: adapter, connection, session, recorder."""
