"""A file that breaks off: how much its one reject stands for."""

import pytest
from dump_samples import ReadBytes, article, articles, outcomes

from bioner_core.records import Reject


def broken(records: int, *, whole: int) -> bytes:
    """A set of citations that is damaged behind some of them."""
    content = [article(pmid=str(i)) for i in range(1, records + 1)]
    return articles(*content[:whole], "<PubmedArticle></MedlineCitation>", *content[whole:])


@pytest.mark.parametrize(("records", "whole"), [(40, 10), (4000, 100)])
def test_the_rest_of_a_broken_file_is_reckoned(records: int, whole: int, read_bytes: ReadBytes) -> None:
    """Catches one reject that stands for any number of lost records, so that no limit on rejects sees them."""
    found = read_bytes(broken(records, whole=whole))
    assert outcomes(found) == ["Document"] * whole + ["malformed"]
    tail: Reject = found[-1]
    assert f"{tail.lost_bytes:,} bytes" in tail.message
    assert (records - whole) * 0.8 < tail.lost_records < (records - whole) * 1.2


def test_a_whole_file_has_lost_nothing(read_bytes: ReadBytes) -> None:
    """Catches a reject of one record that is counted as a broken file."""
    found = read_bytes(articles(article(pmid="1"), article(pmid="0"), article(pmid="3")))
    assert [one.lost_bytes for one in found if isinstance(one, Reject)] == [0]
