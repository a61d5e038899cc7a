"""PubMed XML read by bioner and by pubmed_parser, the same file in one run: `python -m devtools.bench_readers`.

The file is made here, from the bundled sample: each article is given authors, headings and references in the
proportions that update files have. `--file` measures a dump of your own instead.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import cycle
from pathlib import Path

from bioner_core.documents import Document
from bioner_core.errors import EXIT_FAILED, EXIT_USAGE, BionerError, ConfigurationError
from bioner_core.formats.reader import read_records
from jobs.terminal.console import say_error

MEGABYTE = 1024 * 1024

_ARTICLE_START, _ARTICLE_END = "<PubmedArticle>", "</PubmedArticle>"
_OWN_LISTS = re.compile(r"<(AuthorList|MeshHeadingList|History|ReferenceList)\b.*?</\1>", re.DOTALL)
# Each is repeated with other letters and digits in it, so that the file packs no better than a real one.
_AUTHOR = """
          <Author ValidYN="Y">
            <LastName>{0:.8}</LastName>
            <ForeName>Erika M</ForeName>
            <Initials>EM</Initials>
            <AffiliationInfo>
              <Affiliation>Department of {0}, University of Somewhere, Country.</Affiliation>
            </AffiliationInfo>
          </Author>"""
_SECTION = """
          <AbstractText Label="RESULTS" NlmCategory="RESULTS">Of the <i>invented</i> patients {0} had Ca<sup>2+</sup>
above normal (<i>p</i> &lt; 0.05), and the CO<sub>2</sub> of {0:.20} rose in nine of ten, whatever the dose of the drug
and the time of the day; none of this has ever been measured, in {0:.10} or elsewhere, and nobody should act on it. No
drug was given, no blood was drawn, and {0:.30} of the controls was not looked at, blinded or not.</AbstractText>"""
_HEADING = """
        <MeshHeading>
          <DescriptorName UI="D{0:.6}" MajorTopicYN="N">{0:.12}</DescriptorName>
          <QualifierName UI="Q000378" MajorTopicYN="Y">metabolism</QualifierName>
        </MeshHeading>"""
_KEYWORD = """
        <Keyword MajorTopicYN="N">{0:.14}</Keyword>"""
_DATE = """
        <PubMedPubDate PubStatus="pubmed">
          <Year>2020</Year>
          <Month>3</Month>
          <Day>4</Day>
          <Hour>6</Hour>
          <Minute>0</Minute>
        </PubMedPubDate>"""
_REFERENCE = """
        <Reference>
          <Citation>Invented J Med. 2019 Mar 4;12(3):123-9. {0:.40}</Citation>
          <ArticleIdList>
            <ArticleId IdType="pubmed">30000000</ArticleId>
            <ArticleId IdType="doi">10.1000/{0:.16}</ArticleId>
          </ArticleIdList>
        </Reference>"""
# How many of each a citation gets, and the tags around them and behind them.
_LISTS = (
    (_SECTION, 3, "", "", "</Abstract>"),
    (_AUTHOR, 7, '<AuthorList CompleteYN="Y">', "</AuthorList>", "<Language>"),
    (_HEADING, 4, "<MeshHeadingList>", "</MeshHeadingList>", "</MedlineCitation>"),
    (_KEYWORD, 4, '<KeywordList Owner="NOTNLM">', "</KeywordList>", "</MedlineCitation>"),
    (_DATE, 4, "<History>", "</History>", "</PubmedData>"),
    (_REFERENCE, 10, "<ReferenceList>", "</ReferenceList>", "</PubmedData>"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader took for a file: `seconds` is the least CPU time of all rounds."""

    citations: int
    seconds: float
    citations_per_second: float
    megabytes_per_second: float


def synthetic_update(path: Path, *, megabytes: int) -> None:
    """Write a gzip file of PubMed XML of at least so many unpacked megabytes, with invented content."""
    sample = files("bioner_core.samples").joinpath("pubmed26n0001.xml").read_text(encoding="utf-8")
    start = sample.index(_ARTICLE_START)
    pieces = sample[start : sample.rindex(_ARTICLE_END)].split(_ARTICLE_END)
    left = megabytes * MEGABYTE
    with gzip.open(path, "wb", compresslevel=6) as dump:
        dump.write(sample[:start].encode())
        for number, piece in enumerate(cycle(pieces)):
            left -= dump.write(_with_lists(f"{piece.strip()}{_ARTICLE_END}\n", number).encode())
            if left <= 0:
                break
        dump.write(b"</PubmedArticleSet>\n")


def _with_lists(article: str, number: int) -> str:
    """An article with the lists that a real one has in place of its own."""
    filled = _OWN_LISTS.sub("", article)
    if "</PubmedData>" not in filled:
        filled = filled.replace(_ARTICLE_END, f"<PubmedData></PubmedData>{_ARTICLE_END}")
    for item, count, opening, closing, behind in _LISTS:
        letters = (hashlib.sha256(f"{number} {i}".encode()).hexdigest() for i in range(count))
        content = "".join(item.format(one) for one in letters)
        filled = filled.replace(behind, f"{opening}{content}\n{closing}\n{behind}", 1)
    return filled


def measured(path: Path, read: Callable[[Path], Iterable[object]], *, rounds: int) -> Reading:
    """Read a file to its end several times and keep the best: the others were disturbed.

    Raises:
        ConfigurationError: nothing was read.
    """
    taken: list[float] = []
    citations = 0
    for _ in range(rounds):
        begin = time.process_time()
        citations = sum(1 for _ in read(path))
        taken.append(time.process_time() - begin)
    if not citations:
        raise ConfigurationError(f"--file: {str(path)!r} holds no citation; name a gzip file of PubMed XML")
    with gzip.open(path) as unpacked:
        size = sum(len(piece) for piece in iter(lambda: unpacked.read(MEGABYTE), b"")) / MEGABYTE
    return Reading(citations, min(taken), citations / min(taken), size / min(taken))


def _ours(path: Path) -> Iterator[Document]:
    return (record for record in read_records(str(path), format_name="pubmed") if isinstance(record, Document))


def _theirs(path: Path) -> Iterable[object]:
    try:
        from pubmed_parser import parse_medline_xml
    except ImportError:
        raise ConfigurationError(
            "pubmed_parser is not installed; `pip install pubmed_parser` (it is in the extra `dev`)"
        ) from None
    parsed: Iterable[object] = parse_medline_xml(str(path))
    return parsed


def bench_readers(path: Path, *, rounds: int) -> dict[str, object]:
    """Both readers on one file.

    Raises:
        ConfigurationError: pubmed_parser is missing, or the file holds no citation.
    """
    theirs = measured(path, _theirs, rounds=rounds)
    ours = measured(path, _ours, rounds=rounds)
    ratio = theirs.seconds / theirs.citations / (ours.seconds / ours.citations)
    return {"bioner": asdict(ours), "pubmed_parser": asdict(theirs), "ratio": ratio}


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.bench_readers",
        description="Read one file of PubMed XML with bioner and with pubmed_parser, in CPU time of one core.",
        epilog="Example: python -m devtools.bench_readers --megabytes 50 --json",
    )
    parser.add_argument("--file", type=Path, help="a gzip file of PubMed XML; without it one is made")
    parser.add_argument("--megabytes", type=int, default=50, help="unpacked size of the file that is made (50)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each reads it; the best round counts (3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run the bench; returns the exit code."""
    config = _arguments(words)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = config.file or Path(folder) / "pubmed26n9999.xml.gz"
            if config.file is None:
                synthetic_update(path, megabytes=config.megabytes)
            found = bench_readers(path, rounds=max(1, config.rounds))
    except BionerError as error:
        say_error(str(error))
        return EXIT_USAGE if isinstance(error, ConfigurationError) else EXIT_FAILED
    print(json.dumps(found) if config.json else _as_lines(found))
    return 0


def _as_lines(found: dict[str, object]) -> str:
    lines = [f"{name:14s} {reading}" for name, reading in found.items() if name != "ratio"]
    return "\n".join([*lines, f"{'ratio':14s} {found['ratio']:.2f}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
