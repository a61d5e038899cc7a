"""Sentences of the bench's own, with their entities: made of patterns and names by a fixed seed, as many as wanted.

They are about as long as sentences of abstracts on molecular biology and have about as many entities, nested ones
among them. Nobody needs a corpus to bench a device; what they say is of no concern.
"""

import random

from bioner_core.gold.record import GoldRecord
from bioner_core.mentions import Span

_NAMES = {
    "protein": (
        "interleukin-2", "NF-kappa B", "c-Fos", "tumor necrosis factor alpha", "STAT5A", "CD28", "protein kinase C",
        "GATA-1", "the glucocorticoid receptor", "IL-4R alpha", "p65", "Oct-2", "calcineurin", "Bcl-6",
    ),
    "DNA": (
        "<protein:IL-2> promoter", "<protein:c-Myb> binding site", "immunoglobulin kappa enhancer", "AP-1 site",
        "5' flanking region", "<protein:interferon gamma> gene", "long terminal repeat", "TATA box",
    ),
    "RNA": ("<protein:IL-6> mRNA", "<protein:GM-CSF> transcripts", "c-myc mRNA", "poly(A)+ RNA"),
    "cell_type": (
        "human T lymphocytes", "peripheral blood monocytes", "activated B cells", "CD4+ T cells", "eosinophils",
        "erythroid progenitors", "primary macrophages",
    ),
    "cell_line": ("Jurkat cells", "the U937 line", "HeLa cells", "K562 erythroleukemia cells", "THP-1 cells"),
}  # fmt: skip

_OPENINGS = (
    "", "", "In addition, ", "These results suggest that ", "We show here that ", "By contrast, ",
    "Using deletion mutants and gel shift assays, we found that ", "After 24 h of culture, ",
)  # fmt: skip

_CLAUSES = (
    "{protein} binds to the {DNA} in {cell_line}",
    "expression of {RNA} in {cell_type} was reduced by 45 % when {protein} was inhibited",
    "stimulation of {cell_type} with {protein} induces {RNA} within two hours",
    "{protein} and {protein} cooperate at the {DNA} during differentiation of {cell_type}",
    "the {DNA} is not occupied by {protein} in resting {cell_type}",
    "cotransfection of {cell_line} with a vector for {protein} raised the activity of the {DNA} tenfold",
    "no change in the level of {RNA} was seen",
    "{protein} is phosphorylated on serine 133",
    "the response was dose dependent (P < 0.01) and was blocked by cycloheximide",
)

_JOINTS = (", whereas ", ", and ", ", which means that ", "; ", " because ")


def sample_records(count: int, *, seed: int = 13) -> list[GoldRecord]:
    """So many sentences, each a record of its own, types those of the label set `genia`."""
    chooser = random.Random(seed)  # noqa: S311 - sampling, not secrecy
    return [_record(index, chooser) for index in range(count)]


def _record(index: int, chooser: random.Random) -> GoldRecord:
    clauses = chooser.choices((1, 2, 3), weights=(5, 4, 1))[0]
    text = chooser.choice(_OPENINGS)
    for place in range(clauses):
        text += (chooser.choice(_JOINTS) if place else "") + _filled(chooser.choice(_CLAUSES), chooser)
    plain, spans = unmarked(f"{text} (experiment {index + 1}).")
    return GoldRecord(str(index), "en", plain[:1].upper() + plain[1:], frozenset(spans))


def _filled(clause: str, chooser: random.Random) -> str:
    for kind, names in _NAMES.items():
        while f"{{{kind}}}" in clause:
            clause = clause.replace(f"{{{kind}}}", f"<{kind}:{chooser.choice(names)}>", 1)
    return clause


def unmarked(marked: str) -> tuple[str, list[Span]]:
    """A text and its spans from one that has `<type:words>` around entities, also inside each other."""
    plain, spans, opened = "", list[Span](), list[tuple[int, str]]()
    place = 0
    while place < len(marked):
        char = marked[place]
        kind = marked[place + 1 :].partition(":")[0] if char == "<" else ""
        if kind in _NAMES:
            opened.append((len(plain), kind))
            place += len(kind) + 2
            continue
        if char == ">" and opened:
            start, kind = opened.pop()
            spans.append(Span(start, len(plain), kind))
        else:
            plain += char
        place += 1
    return plain, spans
