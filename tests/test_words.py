"""The words of the code, the commands and the docs: those of the field, each with one meaning."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
GLOSSARY = REPOSITORY / "docs" / "glossary.md"

PRIVATE = re.compile(
    r"\b(crew|bulletin|parcel|mended|the mend|last_words|see_off|seen off|the house|at the door|turned away|TurnedAway"
    r"|MemoryWish|memory_wish|Workplace|Patience|patiently|Succession|annotate_rows|told_fill|doubt_overdue|check_hope"
    r"|documents_a_second|records_a_second|sentences_a_second|[A-Z]+_A_[A-Z]+"
    r"|(run|runs|ran|running) dry|failure ladder|a Ray of the mind|(PubMed|CNKI) nights?)\b"
)
"""Words that only those who wrote them understand; CONTRIBUTING.md says what is written instead."""

RATE = re.compile(
    r"(?<!how many )(?<!how many model )(?<!which )\b"
    r"(documents?|sentences?|rows?|citations?|mentions?|records?|tokens?|passes|spans?|bytes|batch|batches|PMIDs|objects?"
    r"|elements?|value|characters|candidates?|files?|lines?|columns?|entry|entries|numbers?|requests?|folders?|tables?"
    r"|passages?|words|states|types|examples?|one copy|copies|flat tag|(?<!number of )times|one|two|once|twice) an? "
    r"(second|minute|hour|day|night|week|month|year|document|sentence|row|record|mention|line|key|name|label set|batch"
    r"|citation|shard|step|run|GPU|file|table|type|source|object|entry|kind|passage|span|token|byte|word|text|unit"
    r"|processor|actor|feeder|node|look|model|corpus|language|page|input|folder|sub ?folder)\b"
    r"(?! (was|were|is|has|had|of|that) )",
    re.IGNORECASE,
)
"""A rate is given "per". "How many rows a table shows" is none, nor is "once a file was moved"."""

OLD_KEYS = {"records_a_second", "sentences_a_second", "documents_a_second"}
"""Keys of `--json`, which never change; the last is what CHANGELOG.md and docs/commands.md say that it was called."""


KEPT = ("bioner_core/training/batches.py",)
"""A phrase that is part of a digest: written otherwise, runs that were begun before would not go on."""


def texts() -> list[Path]:
    """Every source, template, page and file of infra, but the figures, the samples of others' texts and this test."""
    kinds = ["*.py", "*.md", "*.j2", "*.toml", "*.sql", "*.ipynb", "*.yml", "*.yaml", "*.sh", "Makefile"]
    listed = subprocess.run(
        ["git", "ls-files", *kinds, "infra"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [REPOSITORY / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path != Path(__file__) and "figures" not in path.parts]


def test_no_private_words() -> None:
    """Catches a name or a phrase that a newcomer has to be told of."""
    found = {
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path in texts()
        for match in PRIVATE.finditer(path.read_text(encoding="utf-8"))
        if match[0] not in OLD_KEYS
    }
    assert not found


def test_rates_are_given_per() -> None:
    """Catches "documents a second" and "one row a document", which whoever learnt English at school reads as nouns."""
    found = {
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path in texts()
        if not any(part in path.as_posix() for part in KEPT)
        for match in RATE.finditer(path.read_text(encoding="utf-8"))
    }
    assert not found


@pytest.mark.parametrize(
    "word",
    ["document", "mention", "label set", "shard", "manifest", "fingerprint", "batch", "actor", "snapshot", "row"],
)
def test_the_glossary_has_the_words_that_the_docs_live_on(word: str) -> None:
    """Catches a word that is used on every page and explained on none."""
    rows = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert any(word in line.split("|")[1] for line in rows)
    assert not [line for line in rows if line.count("|") != 3]
