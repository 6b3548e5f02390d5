"""The report of a night and its figures."""

from twitchsense.report.matplotlib_file import check_matplotlib_file

check_matplotlib_file()
