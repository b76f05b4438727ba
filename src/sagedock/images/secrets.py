"""What a build needs of this machine, and what no layer may hold: files that it mounts."""

from collections.abc import Mapping
from pathlib import Path

from sagedock.images.builder import probe
from sagedock.images.writing import writing

__all__ = ["TEMPORARY", "build_secrets"]

#: What to do where temporary files cannot be written.
TEMPORARY = "free the disk of temporary files, or name another in TMPDIR"

#: Where programs look for a certificate bundle of one's own.
_CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def build_secrets(
    containers: Path, release: str | None, private: Path, environ: Mapping[str, str]
) -> dict[str, Path]:
    """Return the secrets of a build, id to file; what is made for it lies in ``private``.

    ``ca_bundle`` is this machine's own bundle of certificates, ``apt_sources`` its mirror of the
    Debian ``release``, each where there is one.
    """
    secrets = {}
    named = (Path(environ[name]) for name in _CA_VARIABLES if environ.get(name))
    if bundle := next((path for path in named if path.is_file()), None):
        secrets["ca_bundle"] = bundle
    script = str(containers / "base" / "mirror.sh")
    if release and (mirror := probe([script, release], environ)):
        secrets["apt_sources"] = private / "apt_sources"
        with writing(secrets["apt_sources"], TEMPORARY):
            secrets["apt_sources"].write_text(f"deb {mirror} {release} main\n", encoding="utf-8")
    return secrets
