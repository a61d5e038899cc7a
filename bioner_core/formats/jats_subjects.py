"""What a JATS article says of its own kind: the subjects that it is filed under, and its type."""

from collections.abc import Iterator

from bioner_core.documents import Heading
from bioner_core.formats.xml_text import Element, children, path, text_of

SUBJECT = "jats-subject"
"""`Heading.vocabulary` of the subjects of `article-categories`."""


def subjects(meta: Element | None) -> tuple[Heading, ...]:
    """The subjects of an article, in its order; each counts once with the type of the group that it stands in.

    The qualifier is that type (`heading`, `Discipline-v2`, ...), of the outer group where an inner one has none; the id
    is that of the vocabulary that the article names, where it names one.
    """
    groups = children(path(meta, "{*}article-categories"), "{*}subj-group")
    return tuple(dict.fromkeys(one for group in groups for one in _of_group(group)))


def article_types(article: Element) -> tuple[str, ...]:
    """The type of an article or part as its publisher names it (`research-article`, `reply`)."""
    kind = (article.get("article-type") or article.get("response-type") or "").strip()
    return (kind,) if kind else ()


def _of_group(outermost: Element) -> Iterator[Heading]:
    # Groups may lie in groups as deep as the parser lets them, so this is a stack and no recursion.
    waiting = [(outermost, "")]
    while waiting:
        group, inherited = waiting.pop()
        kind = group.get("subj-group-type", "").strip() or inherited
        for subject in children(group, "{*}subject"):
            if name := " ".join(text_of(subject).split()):
                yield Heading(SUBJECT, subject.get("vocab-term-identifier", "").strip(), name, kind)
        waiting += [(inner, kind) for inner in reversed(list(children(group, "{*}subj-group")))]
