"""What a request's headers promise about its body, and whether the body kept it.

Not checked is ``x-amz-content-sha256``: it is part of the signature, and no signature is. Which
code S3 answers to a malformed chunk is unverified; here it is IncompleteBody.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from sagedock.local.s3.checksums import ALGORITHMS, Digests, digest_size
from sagedock.local.s3.errors import S3Error

__all__ = ["Envelope", "check_body", "promises_checksum", "read_envelope"]

#: The largest single PUT or part (bytes). Source: userguide/qfacts.html
_LARGEST = 5 * 1024**3
_PREFIX = "x-amz-checksum-"
_NOT_VALUES = frozenset({"algorithm", "mode", "type"})


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """``algorithm`` is the checksum promised, or empty; ``value`` is empty if a trailer has it."""

    chunked: bool
    size: int
    md5: str
    algorithm: str
    value: str

    def check(self, digests: Digests, trailers: Mapping[str, str]) -> None:
        """Raise IncompleteBody or BadDigest where the body is not what was promised."""
        if digests.size != self.size:
            raise S3Error("IncompleteBody")
        if self.md5 and digests.md5 != base64.b64decode(self.md5):
            raise S3Error("BadDigest", ExpectedDigest=self.md5)
        if not self.algorithm:
            return
        promised = self.value or trailers.get(_PREFIX + self.algorithm)
        if promised is None:
            raise S3Error("MalformedTrailerError")
        if not _is_digest(promised, digest_size(self.algorithm)):
            raise _invalid_value(self.algorithm)
        if promised != digests.values()[self.algorithm]:
            raise S3Error(
                "BadDigest",
                f"The {self.algorithm.upper()} you specified did not match the calculated "
                "checksum.",
            )


def read_envelope(headers: Mapping[str, str]) -> Envelope:
    """Read the headers of an upload. Raises what S3 answers to those that contradict."""
    chunked = _is_chunked(headers)
    length = headers.get("x-amz-decoded-content-length" if chunked else "content-length", "")
    if not length.isdecimal():
        raise S3Error("MissingContentLength")
    if int(length) > _LARGEST:
        raise S3Error("EntityTooLarge", ProposedSize=int(length), MaxSizeAllowed=_LARGEST)
    md5 = headers.get("content-md5", "")
    if md5 and not _is_digest(md5, 16):
        raise S3Error("InvalidDigest", **{"Content-MD5": md5})
    algorithm, value = _checksum(headers)
    return Envelope(chunked=chunked, size=int(length), md5=md5, algorithm=algorithm, value=value)


def check_body(headers: Mapping[str, str], body: bytes) -> None:
    """Check a small body, already whole, against what its headers promise."""
    envelope = read_envelope({**headers, "content-length": str(len(body))})
    digests = Digests([envelope.algorithm] if envelope.algorithm else [])
    digests.update(body)
    envelope.check(digests, {})


def promises_checksum(headers: Mapping[str, str]) -> bool:
    """Say whether any flexible checksum comes with the request."""
    return bool(_checksum(headers)[0])


def _checksum(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the algorithm and the value promised; empty strings where there is none."""
    values = {
        name.removeprefix(_PREFIX): value
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _NOT_VALUES
    }
    trailer = headers.get("x-amz-trailer", "").strip().lower()
    if trailer.startswith(_PREFIX):
        values.setdefault(trailer.removeprefix(_PREFIX), "")
    if len(values) > 1:
        raise S3Error(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    named = headers.get("x-amz-sdk-checksum-algorithm", "").lower()
    if not values:
        if named:
            raise S3Error(
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
                "x-amz-trailer headers were found.",
            )
        return "", ""
    [(algorithm, value)] = values.items()
    _check_value(algorithm, value, named)
    return algorithm, value


def _check_value(algorithm: str, value: str, named: str) -> None:
    if algorithm not in ALGORITHMS:
        known = ", ".join(name.upper() for name in ALGORITHMS)
        raise S3Error(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid "
            f"types: [{known}]",
        )
    if named and named != algorithm:
        raise S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
    if value and not _is_digest(value, digest_size(algorithm)):
        raise _invalid_value(algorithm)


def _invalid_value(algorithm: str) -> S3Error:
    return S3Error("InvalidRequest", f"Value for {_PREFIX}{algorithm} header is invalid.")


def _is_chunked(headers: Mapping[str, str]) -> bool:
    encodings = headers.get("content-encoding", "").lower().replace(" ", "").split(",")
    signed = headers.get("x-amz-content-sha256", "")
    return "aws-chunked" in encodings or signed.startswith("STREAMING-")


def _is_digest(value: str, size: int) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == size
    except binascii.Error:
        return False
