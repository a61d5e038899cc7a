"""The page about the schema and the schema itself."""

from pathlib import Path

from bioner_core.store.schema_page import schema_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "schema.md"


def test_the_committed_page_is_that_of_the_schemas() -> None:
    """Catches a schema that changed while its page did not; `python -m bioner_core.store.schema_page` makes it."""
    assert PAGE.read_text(encoding="utf-8") == schema_page()
