"""One JATS article, sub-article or response as a document."""

import re
from collections.abc import Callable, Iterable, Iterator

from bioner_core.documents import Document, DocumentMeta, Heading
from bioner_core.formats.contract import Origin, RecordFault
from bioner_core.formats.identifiers import normal_doi, normal_pmcid, normal_pmid
from bioner_core.formats.jats_loss import jats_loss
from bioner_core.formats.jats_passages import jats_passages, language_of
from bioner_core.formats.xml_text import (
    Element,
    UnresolvedEntityError,
    child,
    children,
    path,
    resolve_entities,
    text_of,
)
from bioner_core.records import RejectReason

_YEAR = re.compile(r"\d{4}")
_VERSION = re.compile(r"\.([1-9]\d{0,8})$")
_PMC_KINDS = ("pmcid", "pmc", "pmc-uid", "pmcaid")
_NAMED_KINDS = ("pmid", "doi")
_NORMAL_FORMS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(_PMC_KINDS, normal_pmcid),
    "pmid": normal_pmid,
    "doi": normal_doi,
}
_NOT_PUBLISHED = re.compile(r"submi|recei|recd|rev|accept|preprint|manuscript|embargo|release|retract|correct")
_BLANKS = re.compile(r"[ \t\r\n]+")
_SUBJECT = "jats-subject"
"""`Heading.vocabulary` of the subjects of `article-categories`."""

_Ids = tuple[tuple[str, str], ...]


def jats_document(element: Element, part_of: tuple[Element, int] | None, origin: Origin) -> Document:
    """The document of an `article`, or of a part: its article and its number in it from 1.

    A part is named after its article: `pmc:PMC123/1`.

    Raises:
        RecordFault: nothing names it, it has no text, or a text that cannot be resolved.
    """
    article = element if part_of is None else part_of[0]
    doc_id = article_id(origin.source, _identifiers(_meta_of(article)))
    if part_of is not None:
        doc_id += f"/{part_of[1]}"
    try:
        resolve_entities(element)
        passages = tuple(jats_passages(element))
    except UnresolvedEntityError as entity:
        raise RecordFault(RejectReason.MALFORMED, f"the entity {entity} is not declared", doc_id=doc_id) from None
    if not passages:
        raise RecordFault(RejectReason.NO_TEXT, "the article has no text", doc_id=doc_id)
    meta = _meta_of(element)
    return Document(
        doc_id=doc_id,
        source=origin.source,
        version=_version(_meta_of(article)),
        lang=language_of(element, passages[0].text),
        passages=passages,
        meta=DocumentMeta(
            ids=_identifiers(meta),
            journal=_journal(article),
            year=_year(meta) or _year(_meta_of(article)),
            keywords=tuple(_keywords(meta)),
            input_file=origin.input_file,
            record_number=origin.record_number,
            lost_characters=jats_loss(element, passages),
            headings=_subjects(meta),
            publication_types=_article_types(element),
        ),
    )


def article_id(source: str, ids: _Ids) -> str:
    """`<source>:PMC<number>`, else `<source>:pmid:<PMID>`, else `<source>:doi:<DOI in lower case>`.

    Raises:
        RecordFault: there is none of these ids.
    """
    known = dict(ids)
    if pmc := normal_pmcid(known.get("pmc", "")):
        return f"{source}:{pmc}"
    for kind in _NAMED_KINDS:
        if kind in known:
            return f"{source}:{kind}:{known[kind].lower()}"
    raise RecordFault(
        RejectReason.MISSING_ID,
        "the article has no PMC id, PMID or DOI in article-meta/article-id; a publisher's own XML with the root "
        "`article` is not read: only JATS is",
    )


def _meta_of(element: Element) -> Element | None:
    """Where an article, or a part of one, says what it is."""
    whole = path(element, "{*}front", "{*}article-meta")
    return whole if whole is not None else child(element, "{*}front-stub")


def _identifiers(meta: Element | None) -> _Ids:
    """PMID, PMC id and DOI in their normal forms, each the first that has a value."""
    stated: dict[str, str] = {}
    for node in children(meta, "{*}article-id"):
        kind = node.get("pub-id-type", "").strip().lower()
        normal = _NORMAL_FORMS.get(kind)
        if normal is not None and (value := normal(text_of(node))):
            stated.setdefault(kind, value)
    pmc = next((stated[kind] for kind in _PMC_KINDS if kind in stated), "")
    found = (("pmid", stated.get("pmid", "")), ("pmc", pmc), ("doi", stated.get("doi", "")))
    return tuple((kind, value) for kind, value in found if value)


def _version(meta: Element | None) -> int:
    """The version that PMC numbers its copies with (`PMC123.2`), 1 where it does not."""
    for node in children(meta, "{*}article-id"):
        match = _VERSION.search(text_of(node)) if node.get("pub-id-type") == "pmcid-ver" else None
        if match:
            return int(match.group(1))
    return 1


def _journal(article: Element) -> str:
    meta = path(article, "{*}front", "{*}journal-meta")
    title = path(meta, "{*}journal-title-group", "{*}journal-title")
    return _BLANKS.sub(" ", text_of(title if title is not None else child(meta, "{*}journal-title")))


def _year(meta: Element | None) -> str:
    """The earliest year of publication; of handling, or of release by an archive, only where there is no other."""
    published: list[str] = []
    others: list[str] = []
    for date in children(meta, "{*}pub-date"):
        year = _YEAR.search(text_of(child(date, "{*}year")) or date.get("iso-8601-date", "") or text_of(date))
        kind = f"{date.get('pub-type', '')} {date.get('date-type', '')}".lower()
        if year:
            (others if _NOT_PUBLISHED.search(kind) else published).append(year.group())
    return min(published or others, default="")


def _keywords(meta: Element | None) -> Iterator[str]:
    groups: Iterable[Element] = children(meta, "{*}kwd-group")
    for keyword in (keyword for group in groups for keyword in group.iterdescendants("{*}kwd")):
        if text := _BLANKS.sub(" ", text_of(keyword)):
            yield text


def _subjects(meta: Element | None) -> tuple[Heading, ...]:
    """The subjects of an article, in its order; each counts once with the type of the group that it stands in.

    The qualifier is that type (`heading`, `Discipline-v2`, ...), of the outer group where an inner one has none; the id
    is that of the vocabulary that the article names, where it names one.
    """
    groups = children(path(meta, "{*}article-categories"), "{*}subj-group")
    return tuple(dict.fromkeys(one for group in groups for one in _subjects_of(group)))


def _article_types(article: Element) -> tuple[str, ...]:
    """The type of an article or part as its publisher names it (`research-article`, `reply`)."""
    kind = (article.get("article-type") or article.get("response-type") or "").strip()
    return (kind,) if kind else ()


def _subjects_of(outermost: Element) -> Iterator[Heading]:
    # Groups may lie in groups as deep as the parser lets them, so this is a stack and no recursion.
    waiting = [(outermost, "")]
    while waiting:
        group, inherited = waiting.pop()
        kind = group.get("subj-group-type", "").strip() or inherited
        for subject in children(group, "{*}subject"):
            if name := " ".join(text_of(subject).split()):
                yield Heading(_SUBJECT, subject.get("vocab-term-identifier", "").strip(), name, kind)
        waiting += [(inner, kind) for inner in reversed(list(children(group, "{*}subj-group")))]
