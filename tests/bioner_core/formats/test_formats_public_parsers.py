"""Our readers against public parsers of the same formats, on the same real files: each difference has a named rule."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioner_core.documents import Document
from bioner_core.formats.annotated import ForeignDocument
from bioner_core.formats.reader import read_records

pubmed_parser = pytest.importorskip("pubmed_parser", reason="needs the extra `dev`")
biocjson = pytest.importorskip("bioc.biocjson", reason="needs the extra `dev`")
biocxml = pytest.importorskip("bioc.biocxml", reason="needs the extra `dev`")


def squeezed(text: str) -> str:
    """A text without any blanks: layout is no part of the comparison."""
    return re.sub(r"\s+", "", text)


def section(document: Document, *names: str) -> str:
    """The texts of some sections, their labels before them."""
    return " ".join(f"{p.label} {p.text}" for p in document.passages if p.section in names)


def is_part_of(shorter: str, longer: str) -> bool:
    """Whether the characters of one text occur in another in the same order."""
    rest = iter(longer)
    return all(character in rest for character in shorter)


Rule = Callable[[str, str], bool]

PUBMED_RULES: dict[str, dict[str, Rule]] = {
    "title": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs loses what is marked up twice (<i><b>x</b></i>)": lambda ours, theirs: is_part_of(theirs, ours),
    },
    "abstract": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs prints UNLABELLED": lambda ours, theirs: theirs.replace("UNLABELLED", "") == ours,
        "theirs does not print the label of an only part": lambda ours, theirs: ours.endswith(theirs),
        "theirs loses what is marked up twice, formulas too": lambda ours, theirs: is_part_of(theirs, ours),
    },
    "doi": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs looks at the last ELocationID alone": lambda ours, theirs: bool(ours) and not theirs,
    },
    "pmc": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs looks in OtherID, not in the article's ids": lambda ours, theirs: bool(ours) and not theirs,
    },
    "pubdate": {"same": lambda ours, theirs: ours == theirs},
    "journal": {"same": lambda ours, theirs: ours == theirs},
}


def explained(rules: dict[str, Rule], ours: str, theirs: str) -> str:
    """The name of the first rule that explains a pair."""
    return next((name for name, rule in rules.items() if rule(ours, theirs)), f"UNEXPLAINED {ours!r} / {theirs!r}")


def test_pubmed_agrees_with_pubmed_parser(shared_folder: Path, tmp_path: Path) -> None:
    """Catches a title, abstract or id of a real citation that we read and a public parser reads otherwise."""
    found: Counter[tuple[str, str]] = Counter()
    for folder in ("pubmed_set", "pubmed_update_pair", "pubmed_efetch_single"):
        for file in sorted((shared_folder / "dumps" / folder).iterdir()):
            for field, ours, theirs in _pubmed_pairs(file, tmp_path / "packed.xml.gz"):
                found[field, explained(PUBMED_RULES[field], squeezed(ours), squeezed(theirs))] += 1
    strange = [name for name in found if "UNEXPLAINED" in name[1]]
    assert not strange
    assert found["title", "same"] > 340
    assert found["abstract", "same"] > 300
    assert found["doi", "same"] > 300


def _pubmed_pairs(file: Path, packed: Path) -> list[tuple[str, str, str]]:
    content = file.read_bytes()
    packed.write_bytes(content if content.startswith(b"\x1f\x8b") else gzip.compress(content))
    ours = {record.doc_id: record for record in read_records(str(file)) if isinstance(record, Document)}
    pairs: list[tuple[str, str, str]] = []
    for theirs in pubmed_parser.parse_medline_xml(str(packed)):
        if not theirs["delete"]:
            document = ours[f"pubmed:{theirs['pmid']}"]
            ids = dict(document.meta.ids)
            pairs += [
                ("title", section(document, "title"), _title(theirs["title"])),
                ("abstract", section(document, "abstract"), theirs["abstract"]),
                ("doi", ids.get("doi", ""), theirs["doi"]),
                ("pmc", ids.get("pmc", ""), theirs["pmc"]),
                ("pubdate", document.meta.year, theirs["pubdate"]),
                ("journal", document.meta.journal, theirs["journal"]),
            ]
    return pairs


def _title(title: str) -> str:
    """Placeholders are titles to them and nothing to us."""
    return "" if title in ("[In Process Citation]", "[Not Available].") else title


JATS_RULES: dict[str, dict[str, Rule]] = {
    "pmid": {"same": lambda ours, theirs: ours == theirs},
    "doi": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs takes a part's DOI for that of the article without one": lambda ours, theirs: not ours,
    },
    "title": {
        "same": lambda ours, theirs: ours == theirs,
    },
    "abstract": {
        "same": lambda ours, theirs: ours == theirs,
        "theirs has the headings of abstracts that say no more, and of pictures": lambda ours, theirs: is_part_of(
            ours, theirs
        ),
    },
}


def test_jats_agrees_with_pubmed_parser(shared_folder: Path) -> None:
    """Catches a title, abstract, id or paragraph of a real article that a public parser finds and we do not."""
    found: Counter[tuple[str, str]] = Counter()
    paragraphs = 0
    for file in sorted((shared_folder / "dumps" / "jats").glob("*.nxml")):
        article, *_ = (record for record in read_records(str(file)) if isinstance(record, Document))
        theirs = pubmed_parser.parse_pubmed_xml(str(file))
        ids = dict(article.meta.ids)
        for field, ours in (
            ("pmid", ids.get("pmid", "")),
            ("doi", ids.get("doi", "")),
            ("title", section(article, "title")),
            ("abstract", section(article, "abstract", "other_abstract")),
        ):
            name = "full_title" if field == "title" else field
            found[field, explained(JATS_RULES[field], squeezed(ours), squeezed(theirs[name]))] += 1
        paragraphs += _check_paragraphs(file, article)
    assert not [name for name in found if "UNEXPLAINED" in name[1]]
    assert paragraphs > 200


def _check_paragraphs(file: Path, article: Document) -> int:
    """Each of their paragraphs is in ours, in one place; theirs lacks the text of references to other places."""
    ours = squeezed("".join(p.text for p in article.passages))
    theirs = [squeezed(one["text"]) for one in pubmed_parser.parse_pubmed_paragraph(str(file), all_paragraph=True)]
    for text in theirs:
        begins = [match.start() for match in re.finditer(re.escape(text[:_ANCHOR]), ours)]
        near = [ours[begin : begin + len(text) + _MOST_LACKING] for begin in begins]
        assert text in ours or any(is_part_of(text, place) for place in near), (file.name, text)
    return len(theirs)


_ANCHOR, _MOST_LACKING = 12, 3000

BIOC_FILES = (
    "bioc__everything.xml",
    "biocreative-v-cdr__CDR_sample.BioC.xml",
    "pubtator__batch_0.xml",
    "jcore__input_12461077.BioC.XML",
    "jcore__subdir1_bioc_collection_1.xml",
    "factoid__10.1016_j.molcel.2016.11.034.json",
    "factoid__10.15252_embj.2023113616.json",
)


@pytest.mark.parametrize("name", BIOC_FILES)
def test_bioc_agrees_with_bioc(name: str, shared_folder: Path) -> None:
    """Catches a passage, an offset or an annotation of a real file that a public parser reads otherwise.

    References and passages without text are none of our passages; their annotations are kept all the same.
    """
    file = shared_folder / "dumps" / "bioc" / name
    ours = [record for record in read_records(str(file)) if isinstance(record, ForeignDocument)]
    theirs = _their_documents(file)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        kept = [p for p in other.passages if _their_text(p) and not _is_reference(p)]
        assert [p.text for p in mine.passages] == [_their_text(p) for p in kept]
        assert list(mine.passage_offsets) == [p.offset for p in kept]
        assert [(a.annotation_id, a.text, a.locations) for a in mine.annotations] == _their_annotations(other)


def _is_reference(passage: Any) -> bool:
    return bool({passage.infons.get(key, "").lower() for key in ("type", "section_type")} & {"ref", "reference"})


def _their_documents(file: Path) -> list[Any]:
    if file.suffix == ".json":
        parsed = json.loads(file.read_text())
        collection = {"source": "", "date": "", "key": "", "infons": {}, "documents": [parsed | {"annotations": []}]}
        return list(biocjson.loads(json.dumps(collection)).documents)
    with file.open("rb") as stream:
        return list(biocxml.load(stream).documents)


def _their_text(passage: Any) -> str:
    return str(passage.text or "".join(sentence.text for sentence in passage.sentences))


def _their_annotations(document: Any) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    found = [
        one
        for p in document.passages
        for one in [*p.annotations, *(a for sentence in p.sentences for a in sentence.annotations)]
    ]
    return [
        (one.id, one.text or "", tuple((place.offset, place.offset + place.length) for place in one.locations))
        for one in [*found, *document.annotations]
    ]
