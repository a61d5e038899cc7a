"""How every HTML page is set up: where its templates lie, and how text of strangers gets into it."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bioner_core.viewer.marks import held


def page_environment(package: str) -> Environment:
    """The templates that lie in a package, such as `bioner_core.report`. All text that they show is made safe.

    It is escaped, a character that HTML cannot hold is U+FFFD, one that turns the direction of the text is spelled out,
    and a null shows as nothing. A name that a template is not given is an error. The filter `chart` writes a chart,
    which is markup: `bioner_core.evaluation.charts` has escaped the names in it.
    """
    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_held,
    )
    environment.filters["chart"] = _chart
    return environment


def _held(value: Any) -> Any:
    """What is not markup yet, as `held`: by all templates, so that none needs to remember it."""
    if value is None:
        return ""
    return held(value) if type(value) is str else value


def _chart(svg: str) -> Markup:
    return Markup(held(svg))  # noqa: S704 - escaped where it is drawn
