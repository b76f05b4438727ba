"""Words in, words out: the only room that prints or exits."""

from sagedock.cli.app import main

__all__ = ["main"]
