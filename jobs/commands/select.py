"""`bioner select`: of files at hand the records of a list of PMIDs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bioner_core.errors import listed_names
from bioner_core.formats.folder_inputs import expand_inputs
from bioner_core.formats.pubmed_selection import listed_pmids, selected_records
from jobs.terminal.console import say

HELP = """
Write the records of a list of PMIDs, taken from PubMed XML files at hand, as one PubMed XML file on standard output.
Nothing is downloaded. How many of the list were found, and which were not, is said on standard error.

\b
Example:
  bioner select --pmids list.txt 'pubmed/*.xml.gz' | bioner annotate - --store my-store
"""

Pmids = Annotated[
    Path, typer.Option("--pmids", help="List of PMIDs, one per line.", dir_okay=False, show_default=False)
]
Files = Annotated[list[str], typer.Argument(help="Files, folders, globs or URLs of PubMed XML.", show_default=False)]


def select(files: Files, pmids: Pmids) -> int:
    """Write the selected records; returns the exit code."""
    wanted = listed_pmids(pmids)
    out, found = sys.stdout.buffer, set[str]()
    out.write(b'<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n')
    for pmid, record in selected_records(expand_inputs(files), wanted):
        out.write(record + b"\n")
        found.add(pmid)
    out.write(b"</PubmedArticleSet>\n")
    out.flush()
    missing = sorted(wanted - found, key=int)
    not_found = f"; not found: {listed_names(missing, most=20)}" if missing else ""
    say(f"{len(found)} of {len(wanted)} PMIDs found{not_found}")
    return 0
