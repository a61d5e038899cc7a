"""HTTP whose redirects lead only where `redirect_target` allows it."""

from typing import Any

import requests

from bioner_core.errors import InputError
from bioner_core.formats.inputs import public_name
from bioner_core.formats.redirects import MAX_REDIRECTS, redirect_target


class GuardedSession(requests.Session):
    """A session whose `get` follows redirects by itself: requests follows to any host, and reads each body whole."""

    def get(  # type: ignore[override]  # its eighteen options go on as they are
        self, url: str | bytes, **options: Any
    ) -> requests.Response:
        """The first answer that is no redirect.

        Raises:
            InputError: a redirect leads where it may not, or there are too many.
            requests.RequestException: as of any session.
        """
        asked = current = url.decode() if isinstance(url, bytes) else url
        for _ in range(MAX_REDIRECTS):
            response = super().get(current, **options | {"allow_redirects": False})
            if not response.is_redirect:
                return response
            response.close()
            current = redirect_target(asked, current, response.headers["Location"])
        raise InputError(f"{public_name(asked)}: redirects more than {MAX_REDIRECTS} times; check the address")
