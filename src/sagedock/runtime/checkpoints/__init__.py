"""Checkpoints for training programs: they survive a kill at any instant.

``checkpoints``  what a program calls: when to save, and what a stop does
``store``        what all ranks agree on
``folder``       which files are whole, and which can go
``files``        one checkpoint, one file
``formats``      states as bytes
"""

from sagedock.runtime.checkpoints.checkpoints import Checkpoints, default_folder
from sagedock.runtime.checkpoints.formats import JSON, TORCH, Format
from sagedock.runtime.checkpoints.ranks import Ranks
from sagedock.runtime.checkpoints.stop import Stopped

__all__ = ["JSON", "TORCH", "Checkpoints", "Format", "Ranks", "Stopped", "default_folder"]
