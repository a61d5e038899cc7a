"""Lists of headings and substances, read from the bytes of a PubMed file and taken out before it is parsed.

They are most of a citation's elements, and a few thousand different ones are most of a file's. A list that is written
as NLM writes it is looked up entry by entry; one that differs in anything stays for the parser. Where a list was, an
empty element of its name with a number is left. If that is not where a record's list is read, all of it is put back.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from bioner_core.documents import Heading
from bioner_core.formats.pubmed_indexing import HEADING_LIST, SUBSTANCE_LIST, mesh_headings, substance_headings
from bioner_core.formats.short_memory import kept
from bioner_core.formats.xml_text import Element, child

MOST_HELD_LISTS = 10_000
"""How many lists may wait for their records: more are outside of all records, and no further ones are taken out."""

CUT_LISTS = (SUBSTANCE_LIST.encode(), HEADING_LIST.encode())
"""The tags of the lists that may be taken out, in the order in which they stand in an article."""

_DIFFERENT_ENTRIES = 16_384
# In others a byte below 128 may be part of another character, or another one altogether.
_KNOWN_ENCODINGS = frozenset({b"utf-8", b"us-ascii", b"iso-8859-1"})
_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")

# One line of ASCII, without markup and what may end a section or a value. `\1`, which no XML holds, stands for `&amp;`,
# the only reference: to match it here costs several times as much.
_AMPERSAND, _PLACEHOLDER = "&amp;", "\1"
_TEXT = f"[ -%'-;=?-~{_PLACEHOLDER}]*"
_VALUE = "[ !#-%'-;=?-~]*"
_BLANKS = "[ \t\r\n]*"
_QUALIFIER = f'<QualifierName(?: UI="{_VALUE}")? MajorTopicYN="{_VALUE}">{_TEXT}</QualifierName>{_BLANKS}'
_MESH_HEADING = re.compile(
    f'{_BLANKS}<MeshHeading>{_BLANKS}<DescriptorName(?: UI="({_VALUE})")? MajorTopicYN="({_VALUE})"'
    f'(?: Type="{_VALUE}")?>({_TEXT})</DescriptorName>{_BLANKS}((?:{_QUALIFIER})*)'
)
_OTHER_ORDER = re.compile(f' MajorTopicYN="({_VALUE})" UI="({_VALUE})">')
_QUALIFIERS = re.compile('<QualifierName[^>]* MajorTopicYN="([^"]*)"[^>]*>([^<]*)<')
_CHEMICAL = re.compile(
    f"{_BLANKS}<Chemical>{_BLANKS}<RegistryNumber>({_TEXT})</RegistryNumber>"
    f'{_BLANKS}<NameOfSubstance(?: UI="({_VALUE})")?>({_TEXT})</NameOfSubstance>{_BLANKS}'
)

_Headings = tuple[Heading, ...]


class CutHeadings:
    """The lists that have been taken out of the documents of a stream, until their records are read."""

    def __init__(self) -> None:
        self._active = False
        # Nobody can guess the attribute's name, so no file can hold an element that is taken for one of ours.
        self._mark = f"n{secrets.token_hex(8)}"
        self._held: dict[str, tuple[bytes, _Headings]] = {}
        self._number = 0

    def begin_document(self, prolog: bytes) -> None:
        """Take lists out of a document if its prolog, all that is before its root, names an encoding that is known."""
        declared = _ENCODING.search(prolog)
        self._active = declared is None or declared.group(1).lower() in _KNOWN_ENCODINGS

    def taken(self, tag: bytes, whole: bytes) -> bytes | None:
        """What stands for a list, from its start tag to its end tag, that has been read; None where it has to stay."""
        if not self._active or len(self._held) >= MOST_HELD_LISTS:
            return None
        found = _read_list(tag, whole)
        if found is None:
            return None
        self._number += 1
        number = str(self._number)
        self._held[number] = whole, found
        return b'<%s %s="%s"/>' % (tag, self._mark.encode(), number.encode())

    def of_record(self, record: Element) -> Mapping[str, _Headings]:
        """The headings of the lists that a record had, by tag; lists that are not read as such are put back into it."""
        read: dict[str, _Headings] = {}
        for node in record.iter("{*}MeshHeadingList", "{*}ChemicalList") if self._held else ():
            held = self._held.pop(node.get(self._mark, ""), None)
            if held is None:
                continue
            whole, found = held
            if _is_read(node, record):
                read[node.tag] = found
            else:
                _put_back(node, whole)
        return read


def _read_list(tag: bytes, whole: bytes) -> _Headings | None:
    """The headings of a whole list; None where it is not written as NLM writes it."""
    ending, of_entry = _ENTRIES[tag]
    if whole[len(tag) + 1] != _TAG_END or not whole.isascii() or _PLACEHOLDER.encode() in whole:
        return None
    content = whole[len(tag) + 2 : -len(tag) - 3].decode().replace(_AMPERSAND, _PLACEHOLDER)
    *entries, after = content.split(ending)
    if after.strip(" \t\r\n"):
        return None
    found: list[Heading] = []
    for entry in entries:
        headings = of_entry(entry)
        if headings is None:
            return None
        found += headings
    return tuple(found)


@kept(_DIFFERENT_ENTRIES)
def _of_mesh_heading(entry: str) -> Sequence[Heading] | None:
    found = _MESH_HEADING.fullmatch(entry) or _MESH_HEADING.fullmatch(_OTHER_ORDER.sub(_in_order, entry))
    if found is None:
        return None
    ui, major, name, qualifiers = found.groups()
    return mesh_headings(ui or "", _resolved(name), major=major == "Y", qualifiers=_qualifiers(qualifiers))


def _in_order(attributes: re.Match[str]) -> str:
    return f' UI="{attributes[2]}" MajorTopicYN="{attributes[1]}">'


@kept(_DIFFERENT_ENTRIES)
def _qualifiers(entries: str) -> Sequence[tuple[str, bool]]:
    return [(_resolved(name), major == "Y") for major, name in _QUALIFIERS.findall(entries)]


@kept(_DIFFERENT_ENTRIES)
def _of_chemical(entry: str) -> Sequence[Heading] | None:
    found = _CHEMICAL.fullmatch(entry)
    if found is None:
        return None
    number, ui, name = found.groups()
    return substance_headings(ui or "", _resolved(name), number=_resolved(number))


def _resolved(text: str) -> str:
    return text.replace(_PLACEHOLDER, "&")


_TAG_END = ord(">")
_ENTRIES: Mapping[bytes, tuple[str, Callable[[str], Sequence[Heading] | None]]] = {
    HEADING_LIST.encode(): ("</MeshHeading>", _of_mesh_heading),
    SUBSTANCE_LIST.encode(): ("</Chemical>", _of_chemical),
}


def _is_read(node: Element, record: Element) -> bool:
    """Whether a list is the first of its tag in the first citation of a record, where headings are read."""
    citation = record if record.tag == "MedlineCitation" else child(record, "MedlineCitation")
    return citation is not None and child(citation, str(node.tag)) is node


def _put_back(node: Element, whole: bytes) -> None:
    """Give an empty element the content that it had."""
    content = etree.fromstring(whole)
    node.text = content.text
    node.extend(content)
