"""Packages of PubMed Central: tar archives, one article or very many, of which only the XML is read.

Nothing is unpacked to disk: members are read one after the other in memory, so a member's name cannot lead anywhere.
One whose name would leave its folder is turned down all the same.
"""

from collections.abc import Iterator
from functools import partial

from bioner_core.formats.contract import ByteSource, FileFault, Origin, PendingRecord, Reader, RecordFault
from bioner_core.formats.jats import article_records
from bioner_core.formats.tar_members import TarMember, begins_archive, tar_members
from bioner_core.records import Record, RejectReason

MAX_MEMBER_BYTES = 256 * 1024 * 1024
"""The most bytes that one article of a package may have."""

_ARTICLE_SUFFIXES = (".nxml", ".xml")


class PmcPackageReader(Reader):
    """Reads the articles of a tar archive, compressed or not; pictures, PDF and supplements are passed over."""

    name = "pmc_package"
    source = "pmc"

    def recognises(self, head: bytes) -> bool:
        """Whether the file is a tar archive."""
        return begins_archive(head)

    def scan(self, stream: ByteSource) -> Iterator[PendingRecord]:
        """Walk the articles in the order of the archive; a member that cannot be read is a record of its own."""
        for member in tar_members(stream):
            if member.name.lower().endswith(_ARTICLE_SUFFIXES):
                yield from _of_member(member)


def _of_member(member: TarMember) -> Iterator[PendingRecord]:
    fault = _unusable(member)
    if fault is None:
        try:
            yield from article_records(member.content)
        except FileFault as broken:
            fault = broken
    if fault is not None:
        # Where the archive itself ends early this raises, and that one fault stands for the member too.
        member.content.skip()
        yield partial(_turned_down, member.name, fault)


def _unusable(member: TarMember) -> FileFault | None:
    """Why a member is not read at all."""
    if member.name.startswith(("/", "\\")) or ".." in member.name.replace("\\", "/").split("/"):
        return FileFault(RejectReason.FORBIDDEN_MARKUP, "its name leads out of the archive's folder")
    if not member.is_file:
        return FileFault(RejectReason.FORBIDDEN_MARKUP, "it is a link or a device, not a file")
    if member.size > MAX_MEMBER_BYTES:
        return FileFault(RejectReason.TOO_LARGE, f"it takes more than {MAX_MEMBER_BYTES} bytes")
    return None


def _turned_down(name: str, fault: FileFault, _origin: Origin) -> Record:
    raise RecordFault(fault.reason, f"member {name!a}: {fault}")
