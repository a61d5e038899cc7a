"""The name of a mention: made of its place alone, so that a rerun gives it the same one."""

from bioner_core.mentions import Mention


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
