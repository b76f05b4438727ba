"""The way of a payload through the containers of one instance, one after the other.

Each gets the body and the content type that the one before answered; the request's ContentType is
the first one's, its Accept the last one's. Sources: the contract's PIPELINES page and
https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-batch.html; who gets Accept is
unverified, and as endpoints have it.
"""

import time
from collections.abc import Sequence

from sagedock.contract import routes
from sagedock.local.transform.connection import Answer, Connection
from sagedock.local.transform.heads import head
from sagedock.local.transform.payloads import Stream
from sagedock.local.transform.serving import Served

__all__ = ["OK", "Way"]

OK = 200


class Way:
    """A connection to each container of an instance. One payload at a time.

    ``at`` is what the container is called that was asked last; None where it is the only one.
    """

    def __init__(
        self, served: Sequence[Served], content_type: str | None, accept: str | None
    ) -> None:
        self.at = served[0].name
        self._steps = [
            _Step(each, accept if each is served[-1] else None, content_type) for each in served
        ]

    def ask(self, body: bytes | Stream, timeout_s: float) -> Answer:
        """Return what the last container answers, or the first that does not answer with 200.

        All of them have ``timeout_s`` together (unverified). Raises as ``Connection.ask`` does.
        """
        ends = time.monotonic() + timeout_s
        first, *others = self._steps
        self.at = first.name
        answer = first.ask(body, timeout_s)
        for each in others:
            if answer.status != OK:
                break
            self.at = each.name
            each.take(answer.content_type)
            answer = each.ask(answer.body, max(0.0, ends - time.monotonic()))
        return answer

    def close(self) -> None:
        """Close the connections, if they are open."""
        for each in self._steps:
            each.connection.close()

    def interrupt(self) -> None:
        """End what is under way, as Broken, and whatever would be asked later."""
        for each in self._steps:
            each.connection.interrupt()


class _Step:
    """One container on the way; the head of its requests is made anew only when the content type
    is another one.
    """

    def __init__(self, served: Served, accept: str | None, content_type: str | None) -> None:
        self.name = served.name
        self.connection = Connection(served.address)
        self._address = served.address
        self._accept = accept
        self._content_type = content_type
        self._head = self._made()

    def take(self, content_type: str) -> None:
        """Tell the container from now on that bodies are of this type; of none where it is ""."""
        if content_type != self._content_type:
            self._content_type = content_type
            self._head = self._made()

    def ask(self, body: bytes | Stream, timeout_s: float) -> Answer:
        """Return what the container answers."""
        return self.connection.ask(self._head, body, timeout_s)

    def _made(self) -> bytes:
        headers = {"Content-Type": self._content_type, "Accept": self._accept}
        return head("POST", routes.INVOCATIONS.path, self._address, headers)
