"""URLs of buckets: which schemes there are for what, and none with credentials in it.

Inputs, stores and published tables go through three libraries that know different schemes. Only s3 has been tried.
"""

from bioner_core.errors import ConfigurationError

INPUT_SCHEMES = frozenset({"s3", "s3a", "gs", "gcs", "az", "adl", "abfs", "abfss"})
"""What inputs are read from: all names for which obstore makes a file system of fsspec. Reading harms nothing."""

STORE_SCHEMES = ("s3", "gs", "az")
"""Where a store may be: one name for each service, since a store that has two names could have two writers."""

TABLE_SCHEMES = ("s3", "s3a", "gs", "az", "abfs", "abfss")
"""Where Delta tables may be published: what the library deltalake knows."""

_AZURE_SCHEMES = frozenset({"abfs", "abfss", "adl"})
"""Whose URLs have a container before the @: `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER`."""


def refuse_credentials(url: str, *, is_pattern: bool = False) -> None:
    """Refuse a URL of a bucket with a user, a key or a signed query: whoever lists processes would see it.

    In a pattern a question mark stands for a character, and begins no query.

    Raises:
        ConfigurationError: it has some; the message does not repeat them.
    """
    scheme, _, rest = url.partition("://")
    place = rest.partition("/")[0]
    # No bucket has a colon, and a secret may have a slash before its @.
    bare = place.rpartition("@")[0] if scheme.lower() in _AZURE_SCHEMES else place
    if any(sign in bare for sign in ":@") or (not is_pattern and "?" in rest):
        raise ConfigurationError(
            f"{scheme}://...: holds credentials; give them by the environment, as AWS_ACCESS_KEY_ID and others"
        )
