"""Data model: channels, recordings, candidates, per-second statistics, event tables."""
