"""How fast twitchsense is, beside others, and how that grows; see README.md."""
