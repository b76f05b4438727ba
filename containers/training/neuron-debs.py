"""Fetch the Debian packages that neuron.toml names: `neuron-debs.py REPOSITORY VERSIONS FOLDER`.

Runs in a stage of the Dockerfile that ships nothing. The repository's key must have the fingerprint
of neuron.toml, and apt takes only what that key signed; each package is one of the version named.
"""

import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

KEYRING = Path("/run/neuron.gpg")
SOURCES = Path("/run/neuron.list")
TIMEOUT_S = 60


def main(repository: str, versions: Path, folder: Path) -> None:
    """Leave each package of ``versions`` in ``folder``, or raise SystemExit with what is wrong."""
    pins = tomllib.loads(versions.read_text(encoding="utf-8"))
    place = pins["repository"]
    address = checked(repository)
    trust(f"{address}/{place['key']}", place["fingerprint"])
    SOURCES.write_text(
        f"deb [arch=amd64 signed-by={KEYRING}] {address} {place['suite']} {place['component']}\n",
        encoding="utf-8",
    )
    apt("update")
    folder.mkdir(parents=True)
    # apt's own user may not write there, and says so: root fetches
    apt("download", *(f"{name}={version}*" for name, version in pins["apt"].items()), cwd=folder)
    fetched = sorted(each.name for each in folder.glob("*.deb"))
    if len(fetched) != len(pins["apt"]):
        raise SystemExit(f"neuron-debs: wanted {', '.join(pins['apt'])}; got {', '.join(fetched)}")
    for name in fetched:
        print(f"neuron-debs: {name}")


def checked(repository: str) -> str:
    """Return the address without its last slash."""
    if not repository.startswith(("https://", "http://")) or "@" in repository:
        raise SystemExit(
            f"neuron-debs: NEURON_APT: {repository!r} is no address of an apt repository: give "
            "http(s)://HOST/PATH without a password, which would stay in the image's history"
        )
    return repository.rstrip("/")


def trust(address: str, fingerprint: str) -> None:
    """Put the key into the keyring if it is the one whose fingerprint is known."""
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - checked
        armoured = answer.read()
    gpg("--import", data=armoured)
    shown = gpg("--with-colons", "--fingerprint").decode()
    found = [line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr:")]
    primary = found[:1]
    if primary != [fingerprint]:
        raise SystemExit(
            f"neuron-debs: {address}: the key's fingerprint is {', '.join(primary) or 'missing'}, "
            f"not {fingerprint}: nothing is installed. If AWS has a new key, write its fingerprint "
            "into neuron.toml"
        )
    KEYRING.write_bytes(gpg("--export", fingerprint))
    KEYRING.chmod(0o644)


def gpg(*words: str, data: bytes = b"") -> bytes:
    """Run gpg on a keyring of its own."""
    home = Path("/run/neuron-gnupg")
    home.mkdir(mode=0o700, exist_ok=True)
    command = ["gpg", "--batch", "--quiet", "--homedir", str(home), *words]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def apt(*words: str, cwd: Path | None = None) -> None:
    """Run apt-get with no source but Neuron's."""
    options = (f"Dir::Etc::SourceList={SOURCES}", "Dir::Etc::SourceParts=/dev/null")
    flags = [flag for option in (*options, "APT::Sandbox::User=root") for flag in ("-o", option)]
    if subprocess.run(["apt-get", "--quiet", *flags, *words], cwd=cwd, check=False).returncode:
        raise SystemExit(f"neuron-debs: apt-get {' '.join(words)} failed: its words are above")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
