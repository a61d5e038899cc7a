"""The mentions of one document to concepts: a pure function of texts, types, abbreviations and vocabularies.

Which concepts a mention may mean goes by its type: the type names of label sets and vocabularies in one word.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

from bioner_core.concepts.index import VocabularyPage
from bioner_core.concepts.name_keys import BROAD, EXACT, WORDS
from bioner_core.concepts.vocabulary import Match, Vocabulary

LINKER_VERSION = "3"
"""Part of every link run: change it with any rule that links otherwise."""

HUMAN = "NCBITaxon:9606"
NO_CONCEPT = "none"
ABBREVIATION = "abbreviation+"

_METHODS = {EXACT: "exact", WORDS: "words", BROAD: "broad"}
_SURENESS = {EXACT: 1.0, WORDS: 0.9, BROAD: 0.8}
_MOST_RANKS = 5
_FEW_CHARACTERS = 4
"""A name of so few is found by nothing but itself."""


@dataclass(frozen=True, slots=True)
class NamedText:
    """A mention as the linker sees it: its text, and its type in the words of its label set."""

    text: str
    type: str


@dataclass(frozen=True, slots=True)
class ConceptLink:
    """A concept that a mention may mean; `rank` counts from 1, the likeliest.

    `score` is from 0 to 1: how surely the concept has the name, times how surely the name was found. `method` is
    `exact`, `words` or `broad`; `abbreviation+exact` or `abbreviation+words` where the long form of an abbreviation was
    looked up; or `none`, where the vocabularies have no concept: then `concept_id` is None and `vocabulary` names all
    that were asked.
    """

    vocabulary: str
    vocabulary_version: str
    concept_id: str | None
    name: str
    method: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A concept that fits, before the document has its say."""

    page: VocabularyPage
    match: Match
    name: str
    method: str
    score: float
    has_other_name: bool


class Linker:
    """Links mentions to concepts; the vocabulary that finds the name most surely wins, then the first.

    Every mention is answered: with one or more ranked links, or with one that has no concept.
    """

    def __init__(self, vocabularies: Sequence[Vocabulary], *, default_taxon: str = HUMAN) -> None:
        self.vocabularies = tuple(vocabularies)
        self.default_taxon = default_taxon
        self._nothing = ConceptLink(
            ",".join(one.page.name for one in self.vocabularies),
            ",".join(one.page.exact_version for one in self.vocabularies),
            None,
            "",
            NO_CONCEPT,
            0.0,
            1,
        )
        self._found = lru_cache(maxsize=200_000)(self._look_up)

    def link_document(
        self, mentions: Sequence[NamedText], long_forms: Mapping[str, str]
    ) -> list[tuple[ConceptLink, ...]]:
        """The links of each mention of one document, in the order of the mentions.

        `long_forms` are the abbreviations that the document defines. Of concepts that fit equally well, the one whose
        own name is the very text comes first, then the one that other mentions of the document surely mean. Genes are
        those of the species that the document's own mentions mean, the commonest first; without any, of the default
        species.
        """
        found = [self._of_mention(one, long_forms) for one in mentions]
        agreed = Counter(one[0].match.concept_id for one in found if _is_sure(one))
        taxa = [taxon for taxon, _ in agreed.most_common() if taxon.startswith("NCBITaxon:")]
        # A document that names the default species has it twice here, and its first place is the one that counts.
        order = {taxon: place for place, taxon in enumerate(dict.fromkeys([*taxa, self.default_taxon]))}
        return [self._ranked(one, agreed, order) for one in found]

    def _of_mention(self, mention: NamedText, long_forms: Mapping[str, str]) -> tuple[_Found, ...]:
        types = concept_types(mention.type)
        long_form = long_forms.get(mention.text)
        if long_form is not None:
            found = self._found(long_form, types, ABBREVIATION)
            if found:
                return found
        return self._found(mention.text, types, "")

    def _look_up(self, name: str, types: tuple[str, ...], method_before: str) -> tuple[_Found, ...]:
        best: tuple[int, tuple[_Found, ...]] | None = None
        fits, broadest = partial(may_mean, types), _broadest_kind(name, is_long_form=bool(method_before))
        for vocabulary in self.vocabularies:
            matches = vocabulary.matches(name, fits=fits)
            kind = min((one.kind for one in matches), default=BROAD)
            if not matches or kind > broadest or (best and best[0] <= kind):
                continue
            method = method_before + _METHODS[kind]
            found = (
                _Found(
                    vocabulary.page,
                    one,
                    self._name(one),
                    method,
                    one.weight * _SURENESS[kind],
                    has_other_name=one.name.casefold() != name.casefold(),
                )
                for one in matches
            )
            best = kind, tuple(found)
        return best[1] if best else ()

    def _name(self, match: Match) -> str:
        """The name that the last vocabulary has for a concept: aliases come first, and are named by a mention."""
        names = (one.name_of(match.concept_id) for one in reversed(self.vocabularies))
        return next((one for one in names if one is not None), match.name)

    def _ranked(
        self, found: tuple[_Found, ...], agreed: Mapping[str, int], taxa: Mapping[str, int]
    ) -> tuple[ConceptLink, ...]:
        if not found:
            return (self._nothing,)

        def place(one: _Found) -> tuple[object, ...]:
            species = taxa.get(one.match.taxon, len(taxa)) if one.match.taxon else 0
            agreement = agreed.get(one.match.concept_id, 0)
            return species, -one.score, one.has_other_name, -agreement, one.match.concept_id

        ordered = sorted(found, key=place)[:_MOST_RANKS]
        return tuple(_link(one, rank) for rank, one in enumerate(ordered, start=1))


def _broadest_kind(name: str, *, is_long_form: bool) -> int:
    """The kind of match that is the least sure of those that are taken.

    A long form is not looked up broadly: its short form may still have a concept of its own, more surely.
    """
    if is_long_form:
        return WORDS
    return EXACT if len(name) <= _FEW_CHARACTERS else BROAD


def _is_sure(found: tuple[_Found, ...]) -> bool:
    """Whether one concept alone has the name, or has it more surely than all others."""
    return bool(found) and (len(found) == 1 or found[0].score > found[1].score)


def _link(found: _Found, rank: int) -> ConceptLink:
    page, match = found.page, found.match
    return ConceptLink(
        page.name, page.exact_version, match.concept_id, found.name, found.method, round(found.score, 4), rank
    )


_FAMILIES = {
    "disease": "disease dis diseaseorphenotypicfeature specificdisease diseaseclass mondo doid 疾病 疾病和诊断",
    "phenotype": "phenotype sym symptom phenotypicfeature hp 症状",
    "chemical": "chemical chemicalentity drug dru chebi simplechemical medicine 药物",
    "gene": "gene protein dna rna geneorgeneproduct genefamily domainmotif pr geneproduct",
    "species": "species organism organismtaxon ncbitaxon mic mic_organism organisms",
    "cellline": "cellline cell_line",
    "celltype": "cell_type cell cl celltype",
    "anatomy": "anatomy bod body uberon anatomicalentity 解剖部位",
    "procedure": "procedure pro test treatment ite 手术 影像检查 实验室检验",
    "variant": "variant sequencevariant so mutation",
}
_FAMILY_OF = {word: family for family, words in _FAMILIES.items() for word in words.split()}
_CLOSE = {"disease": ("disease", "phenotype"), "phenotype": ("phenotype", "disease")}


@cache
def concept_types(type_name: str) -> tuple[str, ...]:
    """The families of concepts that a mention of this type may mean."""
    own = type_family(type_name)
    return _CLOSE.get(own, (own,))


@cache
def type_family(type_name: str) -> str:
    """One word for a type, whatever a label set or vocabulary calls it; its own name where we know none."""
    word = type_name.casefold().replace(" ", "").removeprefix("biolink:")
    return _FAMILY_OF.get(word, word)


def may_mean(types: tuple[str, ...], concept_type: str) -> bool:
    """Whether a mention of these families can mean a concept of that type; a concept without type fits all."""
    return not concept_type or type_family(concept_type) in types
