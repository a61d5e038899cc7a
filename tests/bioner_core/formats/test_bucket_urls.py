"""URLs of buckets, for inputs, stores and published tables alike: no credentials in any."""

from pathlib import Path

import pytest

from bioner_core.errors import ConfigurationError
from bioner_core.formats.bucket_urls import INPUT_SCHEMES, STORE_SCHEMES, TABLE_SCHEMES, refuse_credentials
from bioner_core.formats.buckets import file_system
from bioner_core.publish.delta import check_target
from bioner_core.store.layout import Store
from bioner_core.store.objects.object_path import ObjectPath


def _read(url: str, _: Path) -> object:
    return file_system(url)


def _store(url: str, _: Path) -> object:
    return ObjectPath.of(url)


def _publish(url: str, folder: Path) -> object:
    return check_target(Store(folder), url)


@pytest.mark.parametrize("use", [_read, _store, _publish])
@pytest.mark.parametrize(
    "url",
    [
        "{}://key:hidden@bucket/folder",
        "{}://hidden@bucket/folder",
        "{}://key:hid/den@bucket/folder",
        "{}://key:hidden",
    ],
)
@pytest.mark.parametrize("scheme", STORE_SCHEMES)
def test_credentials_are_refused_wherever_a_url_is_given(use: object, url: str, scheme: str, tmp_path: Path) -> None:
    """Catches a rule of one command that another lacks: a secret with a slash went through two of them as a bucket."""
    with pytest.raises(ConfigurationError, match="holds credentials") as caught:
        use(url.format(scheme), tmp_path)  # type: ignore[operator]
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize("url", ["abfss://container@account.dfs.core.windows.net/x", "abfs://container@account/x"])
def test_containers_of_azure_are_no_credentials(url: str, tmp_path: Path) -> None:
    """Catches the name of a container taken for a user's."""
    refuse_credentials(url)
    check_target(Store(tmp_path), url)
    for wrong in (url.replace("container", "container:hidden"), url.replace("container", "user@container")):
        with pytest.raises(ConfigurationError, match="holds credentials"):
            refuse_credentials(wrong)


def test_a_question_mark_is_a_query_or_a_pattern(tmp_path: Path) -> None:
    """Catches a signed URL as a target, and a pattern of inputs that is taken for one."""
    for url in ("s3://bucket/lake?sig=hidden", "az://container?sig=hidden"):
        with pytest.raises(ConfigurationError, match="holds credentials"):
            check_target(Store(tmp_path), url)
    refuse_credentials("s3://bucket/pubmed26n000?.xml.gz", is_pattern=True)
    refuse_credentials("s3://bucket/a@b:c.xml")


def test_a_store_may_be_read_and_published_where_it_is() -> None:
    """Catches a scheme of stores that the other commands do not know."""
    assert set(STORE_SCHEMES) < set(TABLE_SCHEMES) < INPUT_SCHEMES
