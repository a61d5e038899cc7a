"""Small documents, and mentions in them as a decoder gives them."""

from bioner_core.document_pass.finish import finish_document
from bioner_core.document_pass.occurrences import occurrences
from bioner_core.documents import Document, Passage
from bioner_core.mentions import Mention
from bioner_core.store.mention_ids import place_suffix

Found = set[tuple[str, int, str, str | None]]


def document(*texts: str) -> Document:
    """A document of these passages."""
    return Document("s:1", "s", 1, "en", tuple(Passage("abstract", "", "en", text) for text in texts))


def mention(doc: Document, text: str, kind: str, *, nth: int = 0, accepted: bool = True, score: float = 0.9) -> Mention:
    """The nth occurrence of a text as the decoder gives it."""
    start, end = list(occurrences(text, doc.passages[0].text))[nth]
    suffix = place_suffix(0, start=start, end=end, label_set="set", type_name=kind)
    place = ("s:1@1" + suffix, "s:1", 1, 0, "abstract", "en", 0, start, end, doc.passages[0].text[start:end])
    return Mention(*place, "set", kind, None, 0, 5.0, score, accepted)


def accepted(doc: Document, *mentions: Mention, score: float = 0.0) -> Found:
    """What is accepted of a finished document; repeats have the score that is given."""
    found = finish_document(doc, mentions, scorer=lambda _: score).mentions
    return {(one.text, one.start, one.type, one.origin) for one in found if one.accepted}
