"""From the air to the disk: link, session, recorder."""
