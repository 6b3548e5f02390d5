"""Leg-movement scoring by WASM 2016 and AASM: of an event list and of a recording."""
