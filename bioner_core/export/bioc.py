"""BioC: one collection, a document per line, as JSON and as XML.

In XML, white space stands only where it counts for nothing.
"""

import json
import re
from collections.abc import Mapping
from html import escape

from bioner_core.export.bioc_document import KEY, SOURCE, BiocObject, bioc_date, bioc_document
from bioner_core.export.output import TextFile
from bioner_core.export.provenance import Provenance, Tally, xml_characters
from bioner_core.store.document_mentions import DocumentMentions


def _json_opening(provenance: Provenance) -> str:
    head = {"source": SOURCE, "date": bioc_date(provenance), "key": KEY, "version": "1.0", "infons": provenance.facts}
    return json.dumps(head, ensure_ascii=False)[:-1] + ', "documents": [\n'


def _json_document(found: DocumentMentions, _: Tally) -> str:
    return json.dumps(bioc_document(found), ensure_ascii=False)


BIOC_JSON = TextFile(_json_document, opening=_json_opening, separator=",\n", closing="\n]}\n")
"""The exporter."""


def _xml_opening(provenance: Provenance) -> str:
    facts = _infons(provenance.facts, Tally())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
        f"<collection><source>{SOURCE}</source><date>{bioc_date(provenance)}</date><key>{KEY}</key>{facts}\n"
    )


def _xml_document(found: DocumentMentions, tally: Tally) -> str:
    content = bioc_document(found)
    passages = "".join(_passage(one, tally) for one in content["passages"])
    return f"<document><id>{_text(content['id'], tally)}</id>{_infons(content['infons'], tally)}{passages}</document>\n"


def _passage(passage: BiocObject, tally: Tally) -> str:
    # mentions repeat text that was counted with its passage
    seen = Tally()
    annotations = "".join(_annotation(one, seen) for one in passage["annotations"])
    relations = "".join(_relation(one, seen) for one in passage["relations"])
    return (
        f"<passage>{_infons(passage['infons'], tally)}<offset>{passage['offset']}</offset>"
        f"<text>{_text(passage['text'], tally)}</text>{annotations}{relations}</passage>"
    )


def _annotation(annotation: BiocObject, tally: Tally) -> str:
    [place] = annotation["locations"]
    return (
        f'<annotation id="{_attribute(annotation["id"], tally)}">{_infons(annotation["infons"], tally)}'
        f'<location offset="{place["offset"]}" length="{place["length"]}"/>'
        f"<text>{_text(annotation['text'], tally)}</text></annotation>"
    )


def _relation(relation: BiocObject, tally: Tally) -> str:
    nodes = "".join(_node(one["refid"], one["role"], tally) for one in relation["nodes"])
    return f'<relation id="{_attribute(relation["id"], tally)}">{_infons(relation["infons"], tally)}{nodes}</relation>'


def _node(refid: str, role: str, tally: Tally) -> str:
    return f'<node refid="{_attribute(refid, tally)}" role="{role}"/>'


def _infons(infons: Mapping[str, str], tally: Tally) -> str:
    return "".join(
        [f'<infon key="{_attribute(key, tally)}">{_text(value, tally)}</infon>' for key, value in infons.items()]
    )


# letters, digits and signs that stand for themselves anywhere: nearly every name, number and id is made of these alone
_PLAIN = re.compile(r"[\w .,:;()@#/+*=%\[\]-]*\Z")


def _text(text: str, tally: Tally) -> str:
    if _PLAIN.match(text):
        return text
    # a parser turns a bare carriage return into a line feed
    return escape(xml_characters(text, tally)).replace("\r", "&#13;")


def _attribute(text: str, tally: Tally) -> str:
    if _PLAIN.match(text):
        return text
    return _text(text, tally).replace("\n", "&#10;").replace("\t", "&#9;")


BIOC_XML = TextFile(_xml_document, opening=_xml_opening, closing="</collection>\n")
"""The exporter."""
