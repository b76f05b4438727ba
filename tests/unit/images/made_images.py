"""Images as an engine saves them, made of bytes: layers, GPU code, the archive around all."""

import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping
from typing import Any

from sagedock.engine import Image
from sagedock.images.preflight.facts import ImageFacts
from sagedock.images.preflight.saved import read_saved

SERVE = TRAIN = (b"#!/bin/sh\nexit 0\n", 0o755)
SHELL = (b"\x7fELF shell", 0o755)
#: What each image below has unless a test takes it away.
USUAL = {"bin/sh": SHELL, "bin/bash": SHELL, "usr/bin/python3": SHELL, "usr/bin/pip3": SHELL}

Content = bytes | str | tuple[bytes, int]


def layer(files: Mapping[str, Content], *extra: tarfile.TarInfo) -> bytes:
    """Return a layer: bytes are a file, a string is where a link leads, a pair has a mode too."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
                continue
            data, entry.mode = content if isinstance(content, tuple) else (content, 0o644)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in extra:
            archive.addfile(entry)
    return buffer.getvalue()


def saved(
    *layers: bytes,
    settings: Mapping[str, Any] | None = None,
    architecture: str = "amd64",
    history: list[dict[str, Any]] | None = None,
    blobs: bool = False,
) -> bytes:
    """Return what ``docker save`` writes: as older engines do, or with ``blobs`` as newer ones."""
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": None, "Cmd": ["train"], **(settings or {})},
            "history": history or [],
        }
    ).encode()
    parts = {_name(each, blobs, number): each for number, each in enumerate(layers)}
    document = f"blobs/sha256/{_sha(config)}" if blobs else f"{_sha(config)}.json"
    manifest = [{"Config": document, "RepoTags": ["made:1"], "Layers": list(parts)}]
    # In the order of their names, as the engine does: the layers' own order is in the manifest.
    whole = dict(sorted({**parts, document: config}.items()))
    if blobs:
        whole["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    whole["manifest.json"] = json.dumps(manifest).encode()
    return layer(whole)


def _name(content: bytes, blobs: bool, number: int) -> str:
    digest = _sha(content + str(number).encode())
    return f"blobs/sha256/{digest}" if blobs else f"{digest}/layer.tar"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def facts(
    files: Mapping[str, Content] | None = None, *more: Mapping[str, Content], **changes: Any
) -> ImageFacts:
    """Return the facts of an image with USUAL and ``files``, and further layers."""
    layers = [layer({**USUAL, "usr/bin/train": TRAIN, **(files or {})}), *map(layer, more)]
    return ImageFacts(read_saved(iter([saved(*layers, **changes)]), lambda _: None))


def image(**changes: Any) -> Image:
    """Return what the engine tells of an image."""
    told: dict[str, Any] = {
        "id": "sha256:1",
        "tags": (),
        "digests": (),
        "size": 1,
        "architecture": "amd64",
        "labels": {},
    }
    return Image(**{**told, **changes})


def dist_info(name: str, version: str, tag: str = "") -> dict[str, Content]:
    """Return the folder that marks an installed package; ``tag`` is that of its wheel."""
    folder = f"usr/lib/python3/site-packages/{name}-{version}.dist-info"
    return {f"{folder}/METADATA": b"Name: x", f"{folder}/WHEEL": f"Tag: {tag}\n".encode()}


def torch(version: str, cuda: str | None) -> dict[str, Content]:
    """Return what tells PyTorch's version and CUDA: none of it is PyTorch itself."""
    said = f"__version__ = '{version}'\ncuda: Optional[str] = {cuda!r}\nhip = None\n"
    return {
        "usr/lib/python3/site-packages/torch/version.py": said.encode(),
        **dist_info("torch", version),
    }


def fatbin(*codes: str, ptx: tuple[int, int] = (8, 4)) -> bytes:
    """Return a fatbin with entries such as ``sm_80``, ``sm_90a``, ``compute_90``."""
    entries = b"".join(_entry(code, ptx) for code in codes)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


def _entry(code: str, ptx: tuple[int, int]) -> bytes:
    kind, _, name = code.partition("_")
    flags = 0x11 | {"a": 0x100000, "f": 0x200000}.get(name[-1], 0)
    payload = code.encode().ljust(48, b".")
    head = struct.pack("<HHIQ", 2 if kind == "sm" else 1, 0x101, 64, len(payload))
    minor_major = (ptx[1], ptx[0]) if kind == "compute" else (8, 1)
    head += struct.pack("<8xHHI8xQ", *minor_major, int(name.rstrip("af")), flags)
    return head.ljust(64, b"\0") + payload


def library(*fatbins: bytes) -> bytes:
    """Return a shared library with these fatbins in it, other bytes around them."""
    return b"\x7fELF".ljust(64, b"\0") + b"text" * 100 + b"".join(fatbins) + b"\0" * 40


def rows(found: Any) -> dict[str, Any]:
    """Return rows by the names of their checks."""
    return {row.check: row for row in found}
