"""Movesense sensors."""
