"""Sphinx settings of the book; `guidelib book` copies sources and executed notebooks beside this file."""

import guidelib
from guidelib.course.checkout import REPOSITORY

project = "guidelib"
author = "The guidelib authors"
copyright = "2026, the guidelib authors. Text CC BY 4.0, code MIT"
version = release = guidelib.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinxcontrib.bibtex", "book_docstrings",
              "book_math"]
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # the notebooks come executed, so that the book shows what a command made
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show a solution", "Hide the solution"  # no other input is folded
nb_render_markdown_format = "gfm"  # tables in the notebooks' outputs become tables
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True  # a name for a long table; book_docstrings shows numbers
python_maximum_signature_line_length = 60  # beyond it one parameter a line
html_math_renderer = "mathml"

html_theme = "sphinx_book_theme"
html_title = "guidelib"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_favicon = "_static/favicon.svg"
html_use_index = False  # the search finds names, and a phone shows them whole
html_domain_indices = False
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the sidebar has the search field
}
html_context = {"default_mode": "auto"}
if REPOSITORY:
    html_theme_options |= {"repository_url": REPOSITORY, "use_repository_button": True,
                           "use_issues_button": True}
