"""The docs site: sphinx-build -W docs docs/_build (needs the extra docs)."""

import sys
from importlib.metadata import version as _version
from pathlib import Path as _Path

sys.path.insert(0, str(_Path(__file__).parent))  # site_links
project = "twitchsense"
author = "The twitchsense developers"
release = _version("twitchsense")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_click",
    "sphinx_design",
    "site_links",
]
myst_enable_extensions = ["colon_fence"]
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_templates", "jupyter_execute", "examples"]
# the notebooks are run anew at every build, and a cell that fails stops it
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
html_theme = "pydata_sphinx_theme"
html_title = "twitchsense"
html_show_sourcelink = False
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
# all pages in the left column, by their captions; the bar on top has only search and theme
html_sidebars = {"**": ["site-navigation"]}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "navbar_center": [],
    "navbar_persistent": [],
    "navbar_end": ["search-button-field", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
}
myst_heading_anchors = 3
autodoc_typehints = "none"
autosummary_generate = False
numpydoc_show_class_members = False
suppress_warnings: list[str] = []
