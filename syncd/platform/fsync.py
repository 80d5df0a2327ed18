"""What a power cut must not undo."""

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Put on disk which names the folder has. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
