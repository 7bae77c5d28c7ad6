"""Messages to the user: printed, or logged where `config.disable_interactive_logging()` was called."""

from __future__ import annotations

import logging

from pronghorn import config

_logger = logging.getLogger("pronghorn")


def show(message: str, end: str = "\n") -> None:
    """Print a message, or log it at level INFO.

    Args:
        message: the text.
        end: what follows where it is printed.
    """
    if config.is_interactive_logging_enabled():
        print(message, end=end, flush=True)
    else:
        _logger.info(message.strip("\r\n"))
