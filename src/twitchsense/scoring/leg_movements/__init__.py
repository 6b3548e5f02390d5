"""Leg-movement scoring (WASM 2016, AASM) from a list of movements."""
