"""``python -m sagedock.cli``: the same as ``sagedock``."""

import sys

from sagedock.cli.app import main

sys.exit(main())
