"""The docs site: sphinx-build -W docs docs/_build (needs the extra docs)."""

from importlib.metadata import version as _version

project = "twitchsense"
author = "The twitchsense developers"
release = _version("twitchsense")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
]
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "jupyter_execute"]
# the notebooks are run anew at every build, and a cell that fails stops it
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
html_theme = "pydata_sphinx_theme"
html_title = "twitchsense"
html_show_sourcelink = False
html_sidebars = {"**": []}
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": True}
myst_heading_anchors = 3
autodoc_typehints = "none"
autosummary_generate = False
numpydoc_show_class_members = False
# two copies of the same heading on different pages are fine
suppress_warnings = ["myst.xref_missing", "toc.empty_glob"]
