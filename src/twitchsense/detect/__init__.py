"""From samples to events: tracks per sensor, fusion per leg, rules, votes, the Detector."""
