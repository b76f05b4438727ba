"""Java archives, by what Maven leaves in them, and Java runtimes, by their file ``release``."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from posixpath import basename, dirname

from sagedock.images.sbom.licences import UNKNOWN
from sagedock.images.sbom.package import Package, clean

__all__ = ["LARGEST_JAR", "jar_lines", "java_runtime", "packages_of_jar"]

LARGEST_JAR = 128 * 1024 * 1024
_LARGEST_DIRECTORY = 8 * 1024 * 1024
_LARGEST_PROPERTIES = 64 * 1024
_MOST_OF_ONE_JAR = 2000
#: Source: java.util.zip.ZipEntry, which knows these two.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What zipfile raises for archives that are broken, or made so.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError),
    *(NotImplementedError, RuntimeError),
)
_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")


def jar_lines(jar: bytes) -> bytes:
    """Return a line ``group:artifact@version`` for each that Maven packed into a jar.

    Raises ValueError for what is no jar, or one that only harms who reads it.
    """
    try:
        with zipfile.ZipFile(_Jar(jar)) as archive:
            names = [name for name in archive.namelist() if _POM.fullmatch(name)]
            if len(names) > _MOST_OF_ONE_JAR:
                raise ValueError(f"holds {len(names)} packages, and at most {_MOST_OF_ONE_JAR}")
            lines = {line for name in names if (line := _line(archive, name))}
    except _BROKEN as error:
        raise ValueError(f"is no jar that can be read ({error})") from error
    return "\n".join(sorted(lines)).encode() or b"\n"


def packages_of_jar(lines: bytes, path: str) -> Iterator[Package]:
    """Yield the packages in a jar; one that tells of none is itself a package without a version."""
    found = [line for line in lines.decode().split("\n") if line]
    for line in found or [f"{basename(path).removesuffix('.jar')}@"]:
        name, _, version = line.rpartition("@")
        yield Package(
            ecosystem="java", name=clean(name), version=version, path=path, licence=UNKNOWN
        )


def java_runtime(text: bytes, path: str) -> Package | None:
    """Return the runtime that a file ``release`` tells of, if that is what it does."""
    said = dict(
        line.split("=", 1) for line in text.decode(errors="replace").splitlines() if "=" in line
    )
    version = clean(said.get("JAVA_RUNTIME_VERSION", said.get("JAVA_VERSION", "")).strip('"'), 100)
    if not version:
        return None
    return Package(
        ecosystem="runtime", name="openjdk", version=version, path=dirname(path), licence=UNKNOWN
    )


def _line(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).compress_type not in _METHODS:
        raise ValueError(
            f"is no jar that can be read ({clean(name)} is packed in a way that Java does not read)"
        )
    with archive.open(name) as file:
        text = file.read(_LARGEST_PROPERTIES).decode(errors="replace")
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    told = {key.strip(): clean(value, 100) for key, value in said.items()}
    group, artifact, version = (told.get(key, "") for key in ("groupId", "artifactId", "version"))
    return f"{group}:{artifact}@{version}" if group and artifact and version else ""


class _Jar(io.BytesIO):
    """A jar's bytes. Its list of files, which zipfile reads at once and takes apart, is refused
    where it is longer than any program's, wherever it and its length stand.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_DIRECTORY:
            most = _LARGEST_DIRECTORY
            raise ValueError(f"has a list of files of {size} bytes, and at most {most} are read")
        return super().read(size)
