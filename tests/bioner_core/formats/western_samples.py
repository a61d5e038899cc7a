"""Small files in the forms that Western literature is handed out in, with invented content."""

import io
import json
import tarfile

NBIB = "".join(
    f"\nPMID- {i}\nOWN - NLM\nTI  - Aspirin and \n      asthma {i}.\nAB  - BACKGROUND: Airways were\n      studied.\n"
    f"LA  - eng\nTA  - J Inv\nDP  - 2019 Mar\nOT  - asthma\nAID - 10.1000/{i} [doi]\n"
    for i in range(1, 5)
)

PUBTATOR = "".join(
    f"{i}|t|Aspirin and asthma.\n{i}|a|Aspirin harms.\n{i}\t0\t7\tAspirin\tChemical\tD001241\n"
    f"{i}\t20\t27\tAspirin\tChemical\tD001241\n{i}\tCID\tD001241\tD001249\n\n"
    for i in range(1, 5)
)


def jats_article(
    pmc: str = "7", *, body: str = "<p>Cells grew.</p>", front: str = "", after: str = "", attributes: str = ""
) -> str:
    """A JATS article; `front` stands in its `article-meta`, `after` behind its body."""
    identifier = f'<article-id pub-id-type="pmc">{pmc}</article-id>' if pmc else ""
    return (
        f"<article {attributes}><front><journal-meta><journal-title-group><journal-title>J Inv</journal-title>"
        f"</journal-title-group></journal-meta><article-meta>{identifier}<title-group>"
        f"<article-title>A title</article-title></title-group>{front}"
        f"</article-meta></front><body>{body}</body>{after}</article>"
    )


JATS = f"<pmc-articleset>{''.join(jats_article(str(i)) for i in range(1, 5))}</pmc-articleset>"


def oai_record(content: str, *, header: str = "<identifier>oai:pmc:5</identifier>", status: str = "") -> str:
    """One record of an OAI-PMH reply."""
    return f"<record><header {status}>{header}</header><metadata>{content}</metadata></record>"


def oai_reply(*records: str) -> bytes:
    """An OAI-PMH reply with these records."""
    opening = '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
    return f"{opening}{''.join(records)}</ListRecords></OAI-PMH>".encode()


IN_OAI = 'xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/"'
OAI = oai_reply(*(oai_record(jats_article(str(i), attributes=IN_OAI)) for i in range(1, 5)))

BIOC_XML = (
    "<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>\n<collection><source>S</source>"
    + "".join(
        f'<document><id>{i}</id><passage><infon key="type">title</infon><offset>0</offset><text>Aspirin.</text>'
        f'<annotation id="A"><infon key="type">Chemical</infon><location offset="0" length="7"/><text>Aspirin</text>'
        f"</annotation></passage><passage><offset>9</offset><sentence><offset>9</offset><text>IL-2 rose.</text>"
        f'<annotation id="B"><location offset="9" length="4"/><text>IL-2</text></annotation></sentence></passage>'
        f'<relation id="R"><node refid="A" role="cause"/></relation></document>'
        for i in range(1, 5)
    )
    + "</collection>"
)


def bioc_json_document(identifier: str) -> dict[str, object]:
    """A BioC document with an annotation in its title."""
    annotation = {
        "id": "A",
        "text": "Aspirin",
        "infons": {"type": "Chemical", "normalized": [1]},
        "locations": [{"offset": 0, "length": 7}],
    }
    return {
        "_id": f"{identifier}|None",
        "id": identifier,
        "infons": {},
        "passages": [
            {"infons": {"type": "title"}, "offset": 0, "text": "Aspirin.", "annotations": [annotation]},
            {"infons": {"type": "abstract"}, "offset": 9, "text": "IL-2 rose.", "annotations": []},
        ],
        "relations": [{"id": "R", "infons": {"type": "Cause"}, "nodes": [{"refid": "A", "role": "0,1"}]}],
    }


BIOC_JSON = json.dumps({"PubTator3": [bioc_json_document(str(i)) for i in range(1, 5)]}, indent=1)


def package(*members: tuple[str, bytes]) -> bytes:
    """A tar archive of these files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


PACKAGE = package(
    ("PMC1/a.nxml", jats_article("1").encode()),
    ("PMC1/a.gif", b"GIF89a" * 300),
    ("PMC2/b.xml", jats_article("2").encode()),
    ("PMC2/b.pdf", b"%PDF-1.4"),
    ("PMC3/" + "long" * 40 + ".nxml", jats_article("3").encode()),
    ("PMC4/d.nxml", jats_article("4").encode()),
)

WESTERN_FORMS = {
    "nbib": NBIB.encode(),
    "pubtator": PUBTATOR.encode(),
    "jats": JATS.encode(),
    "bioc_xml": BIOC_XML.encode(),
    "bioc_json": BIOC_JSON.encode(),
    "pmc_package": PACKAGE,
}
