"""The environment that the packages read, beside what docs/operations.md says of it."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "operations.md"
PACKAGES = ("bioner", "bioner_core", "pipelines", "jobs")
OF_OTHERS = {
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "TMPDIR"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
}
"""Read by requests, by Python's own modules and by obstore."""
NAME = re.compile(r"(BIONER|XDG|RAY|AWS|OMP|MKL|OPENBLAS|TOKENIZERS|TRANSFORMERS|TQDM|CUDA|HF|REQUESTS)_\w*[A-Za-z0-9]")
ASKED = re.compile(r"environ(?:\.\w+\(|\[)[\"'](\w+)[\"']")


def names_in(source: str) -> set[str]:
    """Whole texts that look like a variable, and whatever is asked of `environ`."""
    texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    return {one for one in texts if isinstance(one, str) and NAME.fullmatch(one)} | set(ASKED.findall(source))


def test_every_variable_that_is_read_or_set_is_on_the_page() -> None:
    """Catches a setting that nobody can know of, and one on the page that nothing reads any more."""
    sources = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    read = {name for path in sources for name in names_in(path.read_text(encoding="utf-8"))}
    section = PAGE.read_text(encoding="utf-8").partition("**Environment variables.**")[2].partition("\n## ")[0]
    named = {one.strip("$").partition("/")[0] for one in re.findall(r"`([^`]+)`", section)}
    assert {one for one in named if re.fullmatch(r"[A-Z]{2}\w+", one)} == read | OF_OTHERS
