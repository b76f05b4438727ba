"""What these tests have that need no container: folders in memory."""

from tests.in_memory import tmp_path

__all__ = ["tmp_path"]
