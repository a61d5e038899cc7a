"""Packages of PubMed Central: only articles are read, no name leads anywhere, damage costs what it damages."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from dump_samples import ReadBytes, outcomes
from western_samples import PACKAGE, jats_article, package

from bioner_core.documents import Document
from bioner_core.formats import pmc_package, tar_members
from bioner_core.formats.reader import read_records

ARTICLE = jats_article("1").encode()
GOOD = ("PMC2/good.nxml", jats_article("2").encode())


def special(name: str, kind: bytes, target: str = "") -> bytes:
    """An archive that begins with a member of a kind, an article behind it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
        good = tarfile.TarInfo(GOOD[0])
        good.size = len(GOOD[1])
        archive.addfile(good, io.BytesIO(GOOD[1]))
    return held.getvalue()


@pytest.mark.parametrize("content", [PACKAGE, gzip.compress(PACKAGE, mtime=0)])
def test_only_articles_are_read(content: bytes, read_bytes: ReadBytes) -> None:
    """Catches pictures and PDF taken for articles, and articles with long names lost."""
    assert [record.doc_id for record in read_bytes(content)] == [f"pmc:PMC{i}" for i in range(1, 5)]


@pytest.mark.parametrize("name", ["/etc/a.nxml", "../a.nxml", "PMC1/../../a.xml", "..\\a.xml"])
def test_names_that_leave_the_folder_are_turned_down(name: str, read_bytes: ReadBytes) -> None:
    """Catches an archive whose members reach outside of it, and one such member that costs the others."""
    records = read_bytes(package((name, ARTICLE), GOOD))
    assert outcomes(records) == ["forbidden_markup", "Document"]
    assert "leads out" in records[0].message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_turned_down(kind: bytes, read_bytes: ReadBytes) -> None:
    """Catches a link to a file of the machine being followed."""
    records = read_bytes(special("PMC1/a.nxml", kind, "/etc/passwd"))
    assert outcomes(records) == ["forbidden_markup", "Document"]
    assert outcomes(read_bytes(special("PMC1/", tarfile.DIRTYPE))) == ["Document"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_every_form_of_archive(form: int, read_bytes: ReadBytes) -> None:
    """Catches a form whose long or foreign names hide that a member is an article."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=form) as archive:
        name = "p" * 90 + "/é文.nxml" if form == tarfile.USTAR_FORMAT else "PMC1/" + "é文" * 90 + ".nxml"
        info = tarfile.TarInfo(name)
        info.size = len(ARTICLE)
        archive.addfile(info, io.BytesIO(ARTICLE))
    assert outcomes(read_bytes(held.getvalue())) == ["Document"]


def test_a_broken_article_costs_no_other(read_bytes: ReadBytes) -> None:
    """Catches one damaged or foreign member that ends the reading of a package of thousands."""
    members = [("a.nxml", b"<article>"), ("b.xml", b"<html/>"), ("c.nxml", b"no xml"), ("d.nxml", b""), GOOD]
    records = read_bytes(package(*members))
    assert outcomes(records) == ["truncated", "unknown_format", "malformed", "truncated", "Document"]
    assert "member 'b.xml'" in records[1].message


def test_caps_on_members(monkeypatch: pytest.MonkeyPatch, read_bytes: ReadBytes) -> None:
    """Catches memory that a header can ask for: a huge article, or a name of gigabytes."""
    monkeypatch.setattr(pmc_package, "MAX_MEMBER_BYTES", 5000)
    large = jats_article(body=f"<p>{'x' * 6000}</p>").encode()
    assert outcomes(read_bytes(package(("a.nxml", large), GOOD))) == ["too_large", "Document"]
    monkeypatch.setattr(tar_members, "MAX_NAME_BYTES", 100)
    assert outcomes(read_bytes(package(GOOD, ("n" * 300 + ".nxml", ARTICLE)))) == ["Document", "too_large"]


def test_a_cut_archive_keeps_every_whole_article(read_bytes: ReadBytes) -> None:
    """Catches a package cut off anywhere that gives half an article, loses a whole one, or passes for whole."""
    whole = read_bytes(PACKAGE)
    end = len(PACKAGE.rstrip(b"\0"))
    for length in range(1, end, 251):
        records = read_bytes(PACKAGE[:length], format_name="pmc_package")
        documents = [record for record in records if isinstance(record, Document)]
        assert documents == whole[: len(documents)]
        assert outcomes(records[len(documents) :]) in (["truncated"], [])
        assert len(documents) == 4 or outcomes(records)[-1] == "truncated" or PACKAGE[:length].endswith(b"\0")


def test_a_damaged_header_ends_the_archive(read_bytes: ReadBytes) -> None:
    """Catches a damaged header read as a member of any size."""
    damaged = bytearray(package(GOOD, ("b.nxml", ARTICLE)))
    damaged[damaged.index(b"b.nxml")] ^= 1
    assert outcomes(read_bytes(bytes(damaged))) == ["Document", "malformed"]


def test_a_real_package(shared_folder: Path) -> None:
    """Catches a real package's form, folder entry and picture included."""
    file = shared_folder / "dumps" / "pmc_oa_package" / "PMC10802347_repacked_nxml_gif.tar.gz"
    records = list(read_records(str(file)))
    assert [record.doc_id for record in records if isinstance(record, Document)] == ["pmc:PMC10802347"]
    assert len(records) == 1
