"""Trains of bursts and series of single events."""
