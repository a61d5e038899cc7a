"""What is read, for people: each format with what it is and how a file of it begins."""

from dataclasses import dataclass

from bioner_core.formats.registry import READERS


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """A format. `example` is how a file of it begins; of a binary format it is the name of such a file."""

    name: str
    source: str
    what: str
    example: str


_ENTRIES = {
    "pubmed": ("PubMed XML: baseline, updates, efetch, books", "<PubmedArticleSet><PubmedArticle><MedlineCitation>"),
    "jats": ("full text in JATS or NLM XML, PMC and OAI-PMH", '<article article-type="research-article"><front>'),
    "bioc_xml": ("BioC XML", "<collection><source>PubMed</source><document>"),
    "pmc_package": ("PMC's packages of articles, packed or not", "oa_comm_xml.PMC001xxxxxx.baseline.tar.gz"),
    "nbib": ("PubMed's text export (MEDLINE, nbib)", "PMID- 12345678"),
    "ris": ("RIS of PubMed, Embase and reference managers", "TY  - JOUR"),
    "pubtator": ("PubTator text", "12345678|t|A title"),
    "wanfang_noteexpress": (
        "Wanfang, NoteExpress export",
        "{Reference Type}: Journal Article\n{Title}: 标题\n{Database Provider}: 万方数据",
    ),
    "cnki_noteexpress": ("CNKI, NoteExpress export", "{Reference Type}: Journal Article"),
    "cnki_refworks": ("CNKI, RefWorks export", "RT Journal Article"),
    "cnki_endnote": ("CNKI, EndNote export", "%0 Journal Article"),
    "cnki_estudy": ("CNKI, E-Study and 自定义 text", "DataType: 1"),
    "cnki_citespace": ("CNKI in the form that CiteSpace reads", "PT J\nTI 标题\nUT CNKI:SUN:ABCD.0.2020-01-001"),
    "cssci": ("CSSCI", "【来源篇名】标题"),
    "cnki_citation": ("CNKI, GB/T 7714 and 查新", "[1]作者.标题[J].刊名,2020,(01):1-5."),
    "csl_tsv": ("tables of the CSL benchmark", "to title\t摘要\t标题"),
    "cnki_table": ("a table as text, comma- or tab-separated", "Title-题名,Author-作者"),
    "cnki_endnote_xml": (
        "CNKI, EndNote XML",
        "<xml><records><record><remote-database-provider>CNKI</remote-database-provider>",
    ),
    "endnote_xml": ("EndNote XML", "<xml><records><record><titles><title>A title</title></titles>"),
    "cnki_estudy_xml": ("CNKI, E-Study XML (.eln)", "<DATA><DataType>1</DataType><Title>标题</Title>"),
    "cnki_notefirst": ("CNKI, NoteFirst XML", "<Bibliographies><Bibliography><PrimaryTitle><Title>标题</Title>"),
    "cnki_html_table": ("CNKI's .xls, which is an HTML table", "<table><tr><td>Title-题名</td></tr>"),
    "xlsx": ("a spreadsheet with a column of titles or abstracts", "export.xlsx"),
    "parquet": ("Parquet with the columns of JSON lines", "documents.parquet"),
    "bioc_json": ("BioC JSON, PubTator's too", '{"documents": [{"id": "1", "infons": {}, "passages": []}]}'),
    "cnki_web_export": (
        "the JSON of CNKI's web service",
        '{"code": 1, "data": [{"key": "NoteExpress", "value": ["…"]}]}',
    ),
    "jsonl": ("JSON lines, one document per line", '{"id": "1", "title": "A title", "abstract": "A text."}'),
    "text": ("plain text, one document per file; only with --format text", "Any text at all."),
}  # fmt: skip


def format_entries() -> tuple[FormatEntry, ...]:
    """All formats, in the order in which they are tried."""
    return tuple(FormatEntry(reader.name, reader.source, *_ENTRIES[reader.name]) for reader in READERS)
