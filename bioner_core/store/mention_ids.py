"""The name of a mention: made of its place alone, so that a rerun gives it the same one.

`<doc_id>@<version>:p<passage>:<start>-<end>:<label set>:<type>`, with `#r<record>` after the version in further copies.
A `doc_id` and a type may hold any sign, so an id is read from behind its `doc_id`, by the two patterns here. Twins of
them in SQL: `candidates` in `query/query_views.py` says which copy owns a mention as `owner_record` does, and
`query/queries/lineage.sql`, where only the id is known, looks for the longest `doc_id`.
"""

import re

from bioner_core.mentions import Mention

AFTER_DOC_ID = r"@\d+(?:#r\d+)?:p\d+:\d+-\d+:[^:]*:"
"""What stands between the `doc_id` and the type; a pattern for Python and for DuckDB."""
REPEAT_AFTER_DOC_ID = r"@\d+#r(\d+):p"
"""How an id goes on after its `doc_id` if its document is a further copy, whose record number it captures; as above."""

_REPEAT = re.compile(REPEAT_AFTER_DOC_ID)


def document_prefix(doc_id: str, version: int, *, repeat_of_record: int | None = None) -> str:
    """How the ids of a document's mentions begin.

    A dump may hold the same document version twice. The first one in a shard has the plain prefix; each further one
    carries its record number, given as `repeat_of_record`, so that no id occurs twice in a shard.
    """
    plain = f"{doc_id}@{version}"
    return plain if repeat_of_record is None else f"{plain}#r{repeat_of_record}"


def place_suffix(passage_index: int, *, start: int, end: int, label_set: str, type_name: str) -> str:
    """How the id of a mention ends: its passage (from 0), its offsets into it, its label set and its type."""
    return f":p{passage_index}:{start}-{end}:{label_set}:{type_name}"


def mention_prefix(mention: Mention) -> str:
    """How the id of a mention begins: what `document_prefix` gave."""
    suffix = place_suffix(
        mention.passage_index,
        start=mention.start,
        end=mention.end,
        label_set=mention.label_set,
        type_name=mention.type,
    )
    return mention.mention_id.removesuffix(suffix)


def owner_record(mention: Mention, *, first_record: int) -> int:
    """The record number of the copy of a document version that a mention belongs to, as its id says.

    `first_record` is the least record number that this version has in the shard: the copy whose ids have none.
    """
    return owner_record_of(mention.mention_id, mention.doc_id, first_record=first_record)


def owner_record_of(mention_id: str, doc_id: str, *, first_record: int) -> int:
    """As `owner_record`, where there is no `Mention`."""
    repeat = _REPEAT.match(mention_id, len(doc_id))
    return first_record if repeat is None else int(repeat.group(1))
