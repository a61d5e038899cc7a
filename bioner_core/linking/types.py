"""Which concepts a mention of some type may mean: the type names of label sets and vocabularies in one word."""

from functools import cache

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
