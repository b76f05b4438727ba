"""What a user's function may ask about its request, and say about its answer.

The methods are those of Multi Model Server's context, for functions written for AWS's toolkits.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sagedock.runtime.serving.pool.frames import Header, pack_headers, unpack_headers

__all__ = ["CUSTOM_ATTRIBUTES", "Context"]

#: What a client sends along, and may get back; at most 1024 visible ASCII characters.
#: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_LONGEST_ATTRIBUTES = 1024
_OURS = {b"content-length", b"transfer-encoding", b"connection"}


class Context:
    """One request's headers, one answer's status and headers, and the model's folder and device."""

    def __init__(self, headers: bytes, system_properties: Mapping[str, Any]) -> None:
        self._packed = headers
        self._received: dict[str, str] | None = None
        self._sent: dict[bytes, bytes] = {}
        self.system_properties = system_properties
        self.status = 200

    @property
    def request_headers(self) -> Mapping[str, str]:
        """The request's headers, by names in lower case."""
        if self._received is None:
            self._received = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in unpack_headers(self._packed)
            }
        return self._received

    @property
    def custom_attributes(self) -> str:
        """What the client sent as X-Amzn-SageMaker-Custom-Attributes; '' where it sent none."""
        return self.request_headers.get(CUSTOM_ATTRIBUTES.lower(), "")

    def set_custom_attributes(self, text: str) -> None:
        """Return ``text`` to the client as X-Amzn-SageMaker-Custom-Attributes."""
        if len(text) > _LONGEST_ATTRIBUTES or not (text.isascii() and text.isprintable()):
            raise ValueError(
                f"{CUSTOM_ATTRIBUTES}: use at most {_LONGEST_ATTRIBUTES} visible ASCII characters"
            )
        self.set_response_header(0, CUSTOM_ATTRIBUTES, text)

    # --- as Multi Model Server calls them --------------------------------------------------------

    @property
    def request_processor(self) -> list["Context"]:
        """Return what has ``get_request_properties``: this context, as the one of its batch."""
        return [self]

    def get_request_properties(self) -> Mapping[str, str]:
        """Return the request's headers."""
        return self.request_headers

    def get_all_request_header(self, idx: int = 0) -> Mapping[str, str]:  # noqa: ARG002
        """Return the request's headers."""
        return self.request_headers

    def get_request_header(self, idx: int, key: str) -> str | None:  # noqa: ARG002
        """Return one header of the request, whatever the case of its name; None without it."""
        return self.request_headers.get(key.lower())

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Set the answer's content type."""
        self.set_response_header(idx, "Content-Type", value)

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:  # noqa: ARG002
        """Set the answer's HTTP status, 200 to 599."""
        if not 200 <= code <= 599:
            raise ValueError(f"{code} is no status of an answer: use 200 to 599")
        self.status = code

    def set_response_header(self, idx: int, key: str, value: str) -> None:  # noqa: ARG002
        """Set a header of the answer. Its length and its connection are the server's own."""
        name, content = key.lower().encode("ascii"), str(value).encode("latin-1")
        if not key or not key.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"{key!r} is no header's name")
        if any((byte < 32 and byte != 9) or byte == 127 for byte in content):
            raise ValueError(f"{key}: a header's value holds no line end and no control character")
        if name not in _OURS:
            self._sent[name] = content

    # --- for the worker --------------------------------------------------------------------------

    def answer_headers(self, content_type: str) -> bytes:
        """Return the answer's headers, packed; ``content_type`` unless a function set another."""
        if not self._sent:
            return b"content-type\0" + content_type.encode("latin-1")
        headers: Iterable[Header] = {
            b"content-type": content_type.encode("latin-1"),
            **self._sent,
        }.items()
        return pack_headers(headers)
