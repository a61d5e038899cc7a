"""What a curator gets to see at a time: a sentence or a document, with what the model found in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bioner_core.documents import Document, Passage
from bioner_core.gold.placing import joined_passages
from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Mention, Span
from bioner_core.store.document_mentions import DocumentMentions
from bioner_core.text.sentences import split_passage


class ReviewUnit(StrEnum):
    """How much text a curator sees at a time."""

    SENTENCES = "sentences"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A text and its candidates; offsets of `mentions` are into `text`, turned-down ones are among them.

    `item_id` names the place in the store; `reason` says why it was chosen, empty before it is.
    """

    item_id: str
    document: Document
    text: str
    lang: str
    mentions: tuple[Mention, ...]
    fingerprint: str
    reason: str = ""

    @property
    def accepted(self) -> tuple[Mention, ...]:
        """What the model says."""
        return tuple(one for one in self.mentions if one.accepted)

    def as_record(self) -> GoldRecord:
        """What the model says, in the form of gold."""
        spans = frozenset(Span(one.start, one.end, one.type) for one in self.accepted)
        return GoldRecord(self.item_id, self.lang, self.text, spans)

    def as_found(self) -> DocumentMentions:
        """The item as a document of one passage, for what writes documents."""
        passage = Passage("text", "", self.lang, self.text)
        document = replace(self.document, doc_id=self.item_id, passages=(passage,))
        return DocumentMentions(document, self.accepted, self.fingerprint)


def review_items(found: DocumentMentions, unit: ReviewUnit) -> Iterator[ReviewItem]:
    """The items of a document; sentences are those that the pipeline cuts."""
    if unit is ReviewUnit.DOCUMENTS:
        yield _document(found)
        return
    for index, passage in enumerate(found.document.passages):
        mentions = [one for one in found.mentions if one.passage_index == index]
        for sentence in split_passage(passage, index):
            inside = [one for one in mentions if sentence.start <= one.start and one.end <= sentence.end]
            moved = tuple(_moved(one, -sentence.start) for one in inside)
            item_id = f"{found.document.doc_id}-p{index}-c{sentence.start}"
            yield ReviewItem(item_id, found.document, sentence.text, sentence.lang, moved, found.fingerprint)


def _document(found: DocumentMentions) -> ReviewItem:
    document = found.document
    text, starts = joined_passages(passage.text for passage in document.passages)
    mentions = tuple(_moved(one, starts[one.passage_index]) for one in found.mentions)
    return ReviewItem(document.doc_id, document, text, document.lang, mentions, found.fingerprint)


def _moved(mention: Mention, by: int) -> Mention:
    return replace(mention, passage_index=0, start=mention.start + by, end=mention.end + by)
