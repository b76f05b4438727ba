"""What an image is made of, as its configuration and its files tell it. Nothing of it is run."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname, join
from typing import Any

from sagedock.images.preflight.device_code import DeviceCode
from sagedock.images.preflight.files import Files, laid_over
from sagedock.images.preflight.saved import SavedImage

__all__ = ["ImageFacts", "Library", "two"]

Version = tuple[int, int]

_DIST_INFO = re.compile(r"(?:.*/)?([^/]+?)-([^/-]+)\.(?:dist|egg)-info(?:/.*)?")
_TORCH_VERSION = re.compile(r"(?:.*/)?torch/version\.py")
_TORCH_CUDA = re.compile(rb"^cuda\b[^=\n]*=\s*['\"]?(\d+\.\d+)", re.MULTILINE)
_MANYLINUX = re.compile(rb"manylinux(?:_(\d+)_(\d+)|(1|2010|2014))_")
_OLD_MANYLINUX = {b"1": (2, 5), b"2010": (2, 12), b"2014": (2, 17)}
#: ``libcublas.so.12.1.3.1``, and as wheels are repaired ``libcudart-d0da41ae.so.11.0``.
_LIBRARY = re.compile(r"(?:.*/)?(lib[\w+-]+?)(?:-[0-9a-f]{8})?\.so\.(\d+)(?:\.([\d.]+))?")
_COMPAT = re.compile(r"(.*/)?compat/(?:.*/)?libcuda\.so\.(\d+)\.([\d.]+)")
_LIBRARY_FOLDERS = (
    *("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"),
    *("lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/local/lib"),
)


@dataclass(frozen=True, kw_only=True)
class Library:
    """A shared library: ``soname`` is its name with the first number, ``version`` with all."""

    path: str
    soname: str
    version: str
    size: int


@dataclass(frozen=True)
class ImageFacts:
    """Facts about one saved image, each found when it is first asked for."""

    saved: SavedImage

    @cached_property
    def files(self) -> Files:
        """What a container sees."""
        return laid_over(self.saved.layers)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The part of the configuration that containers start with."""
        return self.saved.config.get("config") or {}

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The variables that containers start with."""
        pairs = (str(each).partition("=") for each in self.settings.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        return self.settings.get("Labels") or {}

    @property
    def architecture(self) -> str:
        """The processor that it is for, as Docker calls it: ``amd64``."""
        return str(self.saved.config.get("architecture") or "unknown")

    @cached_property
    def path(self) -> Sequence[str]:
        """The folders in which programs are looked for."""
        usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [each for each in self.environment.get("PATH", usual).split(":") if each]

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """Python packages with their versions, by the names of their dist-info folders."""
        found: dict[str, str] = {}
        for path in self.files.entries:
            if ".dist-info" in path or ".egg-info" in path:
                match = _DIST_INFO.fullmatch(path)
                if match:
                    found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
        return found

    @cached_property
    def system_packages(self) -> Mapping[str, str]:
        """Installed packages of Debian or Ubuntu, with their versions."""
        found: dict[str, str] = {}
        for path, entry in self.files.entries.items():
            if path == "var/lib/dpkg/status" or path.startswith("var/lib/dpkg/status.d/"):
                found |= _of_dpkg(entry.text)
        return found

    @cached_property
    def glibc(self) -> Version | None:
        """The version of the GNU C library, None where there is none (musl, or nothing)."""
        said = [
            entry.text
            for path, entry in self.files.entries.items()
            if entry.text and re.fullmatch(r"libc(?:\.so\.6|-2\.\d+\.so)", basename(path))
        ]
        versions = [two(text.decode()) for text in said]
        return max((each for each in versions if each), default=None)

    @cached_property
    def wheels_glibc(self) -> Mapping[str, Version]:
        """The oldest glibc that each installed wheel says it runs with."""
        found: dict[str, Version] = {}
        for path, entry in self.files.entries.items():
            if path.endswith("-info/WHEEL") and (wanted := _manylinux(entry.text)):
                found[basename(dirname(path)).partition("-")[0]] = wanted
        return found

    @cached_property
    def torch_cuda(self) -> Version | None:
        """The CUDA that PyTorch was built with, None without PyTorch, or without CUDA."""
        for path, entry in self.files.entries.items():
            if _TORCH_VERSION.fullmatch(path) and (found := _TORCH_CUDA.search(entry.text)):
                return two(found[1].decode())
        local = re.search(r"\+cu(\d+)(\d)$", self.packages.get("torch", ""))
        return (int(local[1]), int(local[2])) if local else None

    @cached_property
    def toolkits(self) -> Mapping[str, Version]:
        """CUDA toolkits that are installed as such: their folder, and their version."""
        found: dict[str, Version] = {}
        for path, entry in self.files.entries.items():
            if re.fullmatch(r"(?:.*/)?cuda[^/]*/version\.(?:json|txt)", path) and (
                version := _toolkit(entry.text)
            ):
                found[dirname(path)] = version
        return found

    @cached_property
    def runtime_wheels(self) -> Mapping[str, Version]:
        """CUDA's runtime, installed as Python packages of NVIDIA."""
        names = [name for name in self.packages if re.fullmatch(r"nvidia-cuda-runtime.*", name)]
        return {name: two(self.packages[name]) or (0, 0) for name in names}

    @cached_property
    def compat(self) -> tuple[str, str] | None:
        """Folder and driver's version of the newest cuda-compat package, if there is one."""
        found = [
            (tuple(int(part) for part in f"{match[2]}.{match[3]}".split(".") if part), path)
            for path, entry in self.files.entries.items()
            if "compat/" in path and entry.kind != "folder" and (match := _COMPAT.fullmatch(path))
        ]
        if not found:
            return None
        numbers, path = max(found)
        return dirname(path), ".".join(map(str, numbers))

    @cached_property
    def library_folders(self) -> frozenset[str]:
        """Folders in which the loader looks: LD_LIBRARY_PATH, ld.so.conf, and its own."""
        named = self.environment.get("LD_LIBRARY_PATH", "").split(":")
        for path, entry in self.files.entries.items():
            if path.startswith("etc/ld.so.conf"):
                named += entry.text.decode("utf-8", "replace").split("\n")
        wanted = [line.strip() for line in named if line.strip().startswith("/")]
        found = (self.files.resolve(folder) for folder in (*wanted, *_LIBRARY_FOLDERS))
        return frozenset(folder for folder in found if folder)

    @cached_property
    def libraries(self) -> Sequence[Library]:
        """Shared libraries with a number, links left out."""
        return [
            Library(
                path=path,
                soname=f"{match[1]}.so.{match[2]}",
                version=".".join(part for part in (match[2], match[3]) if part),
                size=entry.size,
            )
            for path, entry in self.files.entries.items()
            if ".so." in path
            and entry.kind in ("file", "hardlink")
            and (match := _LIBRARY.fullmatch(path))
        ]

    @cached_property
    def device_code(self) -> Mapping[str, DeviceCode]:
        """GPU code by the file that has it."""
        return {path: each.code for path, each in self.files.entries.items() if each.code}

    def has_library(self, soname: str) -> bool:
        """Say whether a library of that name is there."""
        return any(each.soname == soname for each in self.libraries)

    def named(self, pattern: str) -> Iterator[str]:
        """Yield the paths of files whose last name matches a pattern."""
        wanted = re.compile(pattern)
        for path, entry in self.files.entries.items():
            if entry.kind != "folder" and wanted.fullmatch(basename(path)):
                yield path

    def is_found_by_the_loader(self, path: str) -> bool:
        """Say whether the folder of a library is one of those that the loader looks into."""
        real = self.files.resolve(f"/{path}") or path
        return dirname(path) in self.library_folders or dirname(real) in self.library_folders

    def program(self, name: str) -> str | None:
        """Return the path of a program, looked for in PATH, or from the working directory."""
        if "/" in name:
            name = join("/", str(self.settings.get("WorkingDir") or ""), name)
        return self.files.which(name, self.path)


def two(text: str) -> Version | None:
    """Return the first two numbers of a version: (12, 4) of ``12.4.127``."""
    found = re.match(r"\D{0,2}(\d{1,6})\.(\d{1,6})", text)
    return (int(found[1]), int(found[2])) if found else None


def _manylinux(text: bytes) -> Version | None:
    found = [
        (int(match[1]), int(match[2])) if match[1] else _OLD_MANYLINUX[match[3]]
        for match in _MANYLINUX.finditer(text)
    ]
    return min(found, default=None)


def _toolkit(text: bytes) -> Version | None:
    try:
        document = json.loads(text)
    except ValueError:
        said = re.search(rb"CUDA Version (\d+\.\d+)", text)
        return two(said[1].decode()) if said else None
    part = document.get("cuda") if isinstance(document, dict) else None
    return two(str(part.get("version"))) if isinstance(part, dict) else None


def _of_dpkg(text: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for stanza in text.decode("utf-8", "replace").split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in stanza.splitlines())
        if lines.get("Status", "installed").endswith("installed") and "Version" in lines:
            found[lines.get("Package", "")] = lines["Version"]
    return found
