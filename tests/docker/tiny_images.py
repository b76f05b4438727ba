"""Images of a few megabytes, made of files of the training image: a shell, and nothing else."""

import io
import os
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

SOURCE = "sagedock-training:cpu"
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
#: Where each file is in Debian's image, and where the dynamic linker looks for it.
_FILES = {
    "/usr/bin/dash": "bin/sh",
    f"{_LIBRARIES}/libc.so.6": "lib/x86_64-linux-gnu/libc.so.6",
    f"{_LIBRARIES}/ld-linux-x86-64.so.2": "lib64/ld-linux-x86-64.so.2",
}


class TinyImages:
    """Makes images, each like no other, and removes them."""

    def __init__(self) -> None:
        self._client = docker.from_env()
        self._made: list[str] = []
        self._shell = self._files()

    def make(self, *layers: int) -> str:
        """Return the name of a new image: a shell, then a layer of so many random bytes each."""
        name = f"tiny-{uuid.uuid4().hex[:12]}:1"
        repository = name.partition(":")[0]
        files = {**self._shell, "unique": os.urandom(1024)}
        self._made.append(name)
        image = self._client.api.import_image_from_data(_tar(files), repository=repository, tag="1")
        assert "error" not in image, image
        for number, size in enumerate(layers):
            self._add_layer(name, f"layer-{number}", size)
        return name

    def remove_all(self) -> None:
        """Remove them, whatever they are called by now."""
        for name in self._made:
            repository = name.partition(":")[0]
            # `images.list()` would ask for each, also for what another test removes meanwhile.
            for image in self._client.api.images():
                for tag in image["RepoTags"] or ():
                    if repository in tag:
                        with suppress(APIError):
                            self._client.images.remove(tag, force=True)
        self._client.close()

    def remove(self, name: str) -> None:
        """Remove one, by its id: the engine has nothing of it any more."""
        with suppress(ImageNotFound):
            self._client.images.remove(self._client.images.get(name).id, force=True)

    def _add_layer(self, name: str, file: str, size: int) -> None:
        repository, _, tag = name.partition(":")
        container = self._client.api.create_container(name, command=["/bin/sh"])["Id"]
        try:
            self._client.api.put_archive(container, "/", _tar({file: os.urandom(size)}))
            self._client.api.commit(container, repository=repository, tag=tag)
        finally:
            self._client.api.remove_container(container)

    def _files(self) -> dict[str, bytes]:
        container = self._client.api.create_container(SOURCE, command=["true"])["Id"]
        try:
            return {
                place: _content(self._client.api.get_archive(container, path)[0])
                for path, place in _FILES.items()
            }
        finally:
            self._client.api.remove_container(container)


@contextmanager
def tiny_images() -> Iterator[TinyImages]:
    """Lend a maker of images; what it made is gone afterwards."""
    made = TinyImages()
    try:
        yield made
    finally:
        made.remove_all()


def _content(archive: Any) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(b"".join(archive))) as opened:
        (member,) = opened.getmembers()
        file = opened.extractfile(member)
        assert file is not None, f"{member.name} is no file"
        return file.read()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
