"""Where downloaded files are kept."""

from __future__ import annotations

import os


def cache_folder() -> str:
    """Return the folder for downloads: $KERAS_HOME, else $XDG_CACHE_HOME/keras, else ~/.keras."""
    home = os.environ.get("KERAS_HOME")
    if home:
        return os.path.expanduser(home)
    xdg = os.environ.get("XDG_CACHE_HOME")
    if xdg:
        return os.path.join(os.path.expanduser(xdg), "keras")
    return os.path.join(os.path.expanduser("~"), ".keras")
