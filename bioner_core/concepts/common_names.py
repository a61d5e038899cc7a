"""Names that MeSH has and the wheel's tables leave out: symbols, formulas, and common names of substances and signs.

The tables hold synonyms of a heading's preferred concept only. What stands here is general knowledge; the names were
picked from what training and development parts of gold corpora call their concepts, never from test parts.
"""

_SYMBOLS = {
    "Aluminum": "Al",
    "Ammonia": "NH3",
    "Arsenic": "As",
    "Barium": "Ba",
    "Bismuth": "Bi",
    "Cadmium": "Cd",
    "Calcium": "Ca",
    "Calcium Chloride": "CaCl2",
    "Carbon Dioxide": "CO2",
    "Carbon Monoxide": "CO",
    "Carbon Tetrachloride": "CCl4",
    "Cesium": "Cs",
    "Chlorine": "Cl",
    "Chromium": "Cr",
    "Cobalt": "Co",
    "Copper": "Cu",
    "Ferric Chloride": "FeCl3",
    "Gadolinium": "Gd",
    "Gold": "Au",
    "Hydrochloric Acid": "HCl",
    "Hydrogen Peroxide": "H2O2",
    "Iron": "Fe",
    "Lead": "Pb",
    "Lithium": "Li",
    "Lithium Chloride": "LiCl",
    "Magnesium": "Mg",
    "Magnesium Chloride": "MgCl2",
    "Magnesium Sulfate": "MgSO4",
    "Manganese": "Mn",
    "Mercury": "Hg",
    "Nickel": "Ni",
    "Nitric Oxide": "NO",
    "Nitrous Oxide": "N2O",
    "Oxygen": "O2",
    "Platinum": "Pt",
    "Potassium": "K",
    "Potassium Chloride": "KCl",
    "Selenium": "Se",
    "Silver": "Ag",
    "Sodium": "Na",
    "Sodium Bicarbonate": "NaHCO3",
    "Sodium Chloride": "NaCl",
    "Strontium": "Sr",
    "Sulfur Dioxide": "SO2",
    "Water": "H2O",
    "Zinc": "Zn",
    "Zinc Sulfate": "ZnSO4",
}
_COMMON = {
    "Aspirin": ("ASA",),
    "Cisplatin": ("CDDP",),
    "Cyclic AMP": ("cAMP",),
    "Dizocilpine Maleate": ("MK-801", "dizocilpine"),
    "Dopamine": ("DA",),
    "Doxorubicin": ("adriamycin", "ADR"),
    "Epoprostenol": ("prostacyclin", "PGI2"),
    "Estradiol": ("E2",),
    "Ethanol": ("alcohol",),
    "Flumazenil": ("Ro15-1788",),
    "Hexachlorocyclohexane": ("lindane",),
    "Lomustine": ("CCNU",),
    "N-Methyl-3,4-methylenedioxyamphetamine": ("ecstasy", "MDMA"),
    "Neostigmine": ("prostigmine",),
    "Paclitaxel": ("taxol",),
    "Physostigmine": ("eserine",),
    "Seizures": ("convulsion", "convulsions", "convulsive"),
    "Tacrolimus": ("FK506", "FK-506"),
    "Zidovudine": ("AZT",),
}


def common_names(name: str) -> tuple[str, ...]:
    """The symbol, formula and common names of the MeSH heading that has this name."""
    symbol = _SYMBOLS.get(name)
    return (*((symbol,) if symbol else ()), *_COMMON.get(name, ()))
