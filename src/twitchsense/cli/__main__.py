"""``python -m twitchsense.cli``: the command line without the installed script."""

from twitchsense.cli.app import main

main(prog_name="twitchsense")
