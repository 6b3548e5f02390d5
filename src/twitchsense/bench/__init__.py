"""How fast detection is on this computer; see `twitchsense.cli.bench`."""
