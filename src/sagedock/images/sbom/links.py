"""Links where files that tell of packages are looked for: what they lead to may never be read.

Of a layer's files, those whose paths tell of packages are read. A link to one of those adds
nothing; a link to any other file hides what it says.
"""

from collections.abc import Iterator
from posixpath import basename

from sagedock.images.preflight.files import Entry, Files, inside
from sagedock.images.sbom.layer import DPKG, METADATA

__all__ = ["hidden_by_links"]

_LINK = "is a link to a file that was not read"
_NO_FILE = "is no plain file, and is not read"
_STATUS, _STATUS_FOLDER = "var/lib/dpkg/status", "var/lib/dpkg/status.d"
#: What tells of packages in a folder that may be a link itself, by the ending of the folder's name.
_IN_FOLDERS = {
    ".dist-info": "METADATA",
    ".egg-info": "PKG-INFO",
    "/EGG-INFO": "PKG-INFO",
    "/_vendor": "vendor.txt",
}


def hidden_by_links(files: Files) -> dict[str, str]:
    """Return each path that ought to tell of packages and was not read, as it is a link to what
    was not, or no plain file; with the reason.
    """
    found = dict(_of_dpkg(files))
    for path, entry in files.entries.items():
        if entry.kind == "symlink":
            found |= dict.fromkeys(_behind(files, path), _LINK)
        elif reason := _why_not(path, entry):
            found[path] = reason
    return found


def _kind(path: str) -> str:
    """Return as what a file at this path is read; nothing for one that tells of no packages."""
    if METADATA.fullmatch(path):
        return "python"
    if DPKG.fullmatch(path):
        return "debian"
    if path.endswith("/_vendor/vendor.txt"):
        return "vendored"
    return "java" if path.endswith(".jar") else ""


def _why_not(path: str, entry: Entry) -> str:
    kind = _kind(path)
    if not kind or entry.kind == "folder":
        return ""
    if entry.kind == "file":  # a hard link has what was kept of the file that it is
        is_read = not entry.link or not entry.size or _kind(inside(entry.link)) == kind
        return "" if is_read else _LINK
    return _LINK if entry.kind == "hardlink" else _NO_FILE


def _behind(files: Files, link: str) -> Iterator[str]:
    """Yield the paths through a symbolic link that ought to have been read."""
    within = (f"{link}/{name}" for end, name in _IN_FOLDERS.items() if f"/{link}".endswith(end))
    for path in (link, *within):
        if _is_hidden(files, path):
            yield path


def _of_dpkg(files: Files) -> Iterator[tuple[str, str]]:
    """Yield what dpkg's own paths lead to, for it is only read there."""
    paths, folder = [_STATUS], files.leads_to(_STATUS_FOLDER)
    if folder is None:
        yield _STATUS_FOLDER, _LINK
    elif folder != _STATUS_FOLDER:
        paths += [f"{_STATUS_FOLDER}/{basename(path)}" for path in files.below(folder)]
    yield from ((path, _LINK) for path in paths if _is_hidden(files, path))


def _is_hidden(files: Files, path: str) -> bool:
    if not (kind := _kind(path)):
        return False
    if (leads_to := files.leads_to(path)) is None:
        return True
    entry = files.entries.get(leads_to)
    return entry is not None and entry.kind != "folder" and _kind(leads_to) != kind
