"""Names of files that must survive a power cut."""

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Flush the entries of a folder to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
