"""The protocol twitchsense v1, of the wearable that anyone can build."""
