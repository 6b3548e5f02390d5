"""The trained models, and how they are loaded and applied."""
