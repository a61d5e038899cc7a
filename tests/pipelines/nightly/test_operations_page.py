"""What docs/operations.md says of inputs that are taken out and of withdrawn documents, done as it is printed."""

import re
import subprocess
from pathlib import Path
from textwrap import dedent

from night_samples import WordAnnotator, night, publish, release, titles_of

from bioner_core.store.checks.verify import verify_store
from bioner_core.store.history.ledger import applied_files
from bioner_core.store.layout import Store, input_key_of
from bioner_core.store.reading import read_manifests
from pipelines.job_report import lost_shard_faults

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
FIRST = release({1: "Old one", 2: "Two binds", 3: "Three"})
SECOND = release({1: "New one", 4: "Four"}, deleted=[3])


def remove_as_printed(store: Path, wanted: str) -> None:
    """Run the page's commands that take an input out."""
    (block,) = [one for one in PAGE.split("\n\n") if "rm -f manifests" in one]
    lines = dedent(block).replace("cd /data/store", f"cd {store}")
    script = re.sub(r"INPUT='[^']+'", f"INPUT='{wanted}'", lines)
    subprocess.run(["bash", "-euc", script], check=True)


def printed_file(name: str) -> str:
    """A file that the page writes with `cat`."""
    (found,) = re.findall(rf"cat > {re.escape(name)} <<'END'\n(.*?)\n    END\n", PAGE, re.DOTALL)
    return dedent(str(found))


def is_sound(store: Path) -> bool:
    """Whether all parts of `bioner verify` find nothing."""
    return verify_store(Store(store)).sound and not list(lost_shard_faults(Store(store)))


def test_an_input_that_is_taken_out_leaves_a_sound_store(tmp_path: Path) -> None:
    """Would catch a command of the page that leaves a trace for `verify`, or takes more than the input named."""
    place, store = tmp_path / "in", tmp_path / "s"
    publish(place, "pubmed26n0001.xml.gz", FIRST)
    night(store, place)
    before = titles_of(store)
    publish(place, "pubmed26n0002.xml.gz", SECOND)
    night(store, place)
    assert titles_of(store) != before
    inputs = {input_key_of(one.shard_id) for one in read_manifests(Store(store))}
    (second,) = [one for one in inputs if "0002" in one]
    remove_as_printed(store, second)
    assert titles_of(store) == before
    assert not [path for path in store.rglob(f"*{second}*") if path.parent.name != "jobs"]
    assert is_sound(store)


def test_a_year_that_was_replaced_can_be_taken_out_and_nights_go_on(tmp_path: Path) -> None:
    """Would catch a removal after which the next night finds a gap, or shows other documents."""
    old, new, store = tmp_path / "26", tmp_path / "27", tmp_path / "s"
    publish(old, "pubmed26n0001.xml.gz", FIRST)
    publish(new, "pubmed27n0001.xml.gz", FIRST)
    night(store, old)
    night(store, new)
    remove_as_printed(store, "pubmed26n*")
    assert [one.name for one in applied_files(Store(store), "pubmed")] == ["pubmed27n0001.xml.gz"]
    publish(new, "pubmed27n0002.xml.gz", SECOND)
    assert night(store, new).exit_code() == 0
    assert titles_of(store) == {"pubmed:1": "New one", "pubmed:2": "Two binds", "pubmed:4": "Four"}
    assert is_sound(store)


def test_a_withdrawn_citation_stays_withdrawn(tmp_path: Path) -> None:
    """Would catch a file of the page that withdraws nothing, or a revision or a new year that undoes it."""
    place, store = tmp_path / "in", tmp_path / "s"
    withdrawal = printed_file("pubmed26n9001.xml").replace("90000101", "2")
    publish(place, "pubmed26n0001.xml.gz", FIRST)
    night(store, place)
    for year in (26, 27):
        file = tmp_path / f"pubmed{year}n9001.xml"
        file.write_text(withdrawal, encoding="utf-8")
        WordAnnotator(store).annotate(str(file))
        assert "pubmed:2" not in titles_of(store)
        publish(place, f"pubmed{year}n0001.xml.gz", FIRST)
        publish(place, f"pubmed{year}n0002.xml.gz", release({2: "Two revised"}))
        assert night(store, place).exit_code() == 0
        assert titles_of(store).keys() == {"pubmed:1", "pubmed:3"}
    assert is_sound(store)
