"""Write a file so that it appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str) -> Iterator[str]:
    """Give a temporary path beside `path`; move what was written there to `path` when the block ends without error.

    Args:
        path: where the file shall stand in the end.
    """
    folder, name = os.path.split(os.path.abspath(path))
    # A folder of its own: the ending of the name tells writers the format, so the name must stay as it is.
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as workplace:
        temporary = os.path.join(workplace, name)
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
