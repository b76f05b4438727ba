"""Delivering notices: to SNS topics, and to a command of the user's."""

import json
import logging
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from sagedock.local.hosting.asynchronous.notices import Notice

__all__ = ["Courier"]

_log = logging.getLogger(__name__)

#: How long a command may take for one notice.
_HOOK_S = 30.0
_TOPIC = "SAGEDOCK_TOPIC_ARN"

Publish = Callable[[str, str], bool]


class Courier:
    """Delivers. ``publish`` gives a topic (an ARN) a message, and says whether there is one; each
    notice is also the standard input of the command ``hook``, which is run without a shell.
    """

    def __init__(self, publish: Publish, hook: Sequence[str]) -> None:
        self._publish = publish
        self._hook = tuple(hook)

    def deliver(self, notice: Notice) -> bool:
        """Deliver, and say whether somebody was told."""
        message = json.dumps(notice.message, separators=(",", ":"))
        published = self._publish(notice.topic, message)
        if not self._hook:
            if not published:
                _log.warning("there is no SNS topic %s: nobody is told", notice.topic)
            return published
        return self._hooked(notice.topic, message) or published

    def _hooked(self, topic: str, message: str) -> bool:
        environment: Mapping[str, str] = {**os.environ, _TOPIC: topic}
        try:
            done = subprocess.run(
                self._hook,
                input=message.encode(),
                env=environment,
                capture_output=True,
                timeout=_HOOK_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("the notification hook %s: %s", self._hook[0], error)
            return False
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-500:]
            _log.warning("%s ended with %d: %s", self._hook[0], done.returncode, said)
        return done.returncode == 0
