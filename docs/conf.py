"""Settings of the documentation: make docs."""

import logging
import os
import re
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS), str(DOCS / "_extensions")]
# Before the package and torch are imported. Examples share a cache that the user's own
# neither fills nor fakes, and no figure depends on the number of cores.
os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
os.environ.setdefault(
    "SKLEARN_HYPO_CACHE", str(Path(tempfile.gettempdir(), "sklearn-hypo-docs"))
)

import make_stored  # noqa: E402

import sklearn_hypo  # noqa: E402

project = "sklearn_hypo"
author = copyright = "The sklearn_hypo developers"
release = version = sklearn_hypo.__version__
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "link_names",
    "make_stored",
    "mathml",
]
root_doc = "index"
templates_path = ["_templates"]
exclude_patterns = ["_build", "gallery", "tutorials", "examples", "stored"]
nitpicky = True
default_role = "code"  # `name` in a docstring is code, as it is in Markdown

# Markdown: anchors as a code host makes them, so that links hold on both.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# The reference: one page for each public name, methods below their class.
autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc says more
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True

# Other projects, where there is a network.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "torch": ("https://docs.pytorch.org/docs/stable", None),
}
intersphinx_timeout = 5
nitpick_ignore_regex = [(r"py:.*", rf"({'|'.join(intersphinx_mapping)})\..*")]
logging.getLogger("sphinx.sphinx.ext.intersphinx").addFilter(
    lambda record: "failed to reach" not in str(record.msg)
)

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "gallery"],
    "gallery_dirs": ["auto_tutorials", "auto_gallery"],
    "doc_module": ("sklearn_hypo",),
    "reference_url": {"sklearn_hypo": None},
    "backreferences_dir": "generated/backreferences",
    "within_subsection_order": "FileNameSortKey",
    "ignore_repr_types": make_stored.UNSHOWN,
    "abort_on_example_error": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1,
    "plot_gallery": "True",
    "remove_config_comments": True,
    "copyfile_regex": r".*\.svg",
}

# The prompts of examples are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_math_renderer = "mathml"
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_hypo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version", "theme-version"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "reference": []}


def skip_what_others_define(app, what, name, obj, skip, options):
    """Leave out members that scikit-learn or Python gave to a class."""
    thing = obj
    for wrapper in ("fget", "func", "__func__"):  # properties and class methods
        thing = getattr(obj, wrapper, thing)
    module = getattr(thing, "__module__", None) or ""
    return skip or (what == "class" and not module.startswith("sklearn_hypo"))


def link_within_site(app, path, page, content):
    """Let links between files of the root lead to the pages that include them."""
    content[0] = re.sub(
        r"(?<=\]\()[A-Z_]+(?=\.md)", lambda name: name[0].lower(), content[0]
    )


def setup(app):
    """Connect what no extension does."""
    app.connect("include-read", link_within_site)
    app.connect("autodoc-skip-member", skip_what_others_define)
