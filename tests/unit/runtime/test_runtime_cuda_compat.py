"""Whose driver libraries programs load, by the files of a container."""

from pathlib import Path

import pytest

from sagedock.runtime.cuda_compat import Driver, chosen, read_driver, with_compat

COMPAT = "/usr/local/cuda/compat"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Sun May 12 19:39:15 UTC 2026\n"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (dvs@x)  Sun\n"
    "GCC version:  gcc version 12.3.0\n"
)
H100, GEFORCE = "NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4090"


def container(
    root: Path, said: str = "", models: tuple[str, ...] = (), compat: tuple[str, ...] = ()
) -> Path:
    """Lay out what the driver and the image's package leave in a container."""
    kernel = root / "proc/driver/nvidia"
    kernel.mkdir(parents=True)
    if said:
        (kernel / "version").write_text(said)
    for number, model in enumerate(models):
        gpu = kernel / f"gpus/0000:0{number}:00.0"
        gpu.mkdir(parents=True)
        (gpu / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 99\n")
    folder = root / COMPAT[1:]
    folder.mkdir(parents=True)
    for version in compat:
        (folder / f"libcuda.so.{version}").touch()
        (folder / "libcuda.so.1").unlink(missing_ok=True)
        (folder / "libcuda.so.1").symlink_to(f"libcuda.so.{version}")
    return root


@pytest.mark.parametrize("said", [OPEN, CLOSED], ids=["open", "closed"])
def test_what_the_files_say(tmp_path: Path, said: str) -> None:
    found = read_driver(
        container(tmp_path, said.format("570.133.20"), (H100, H100), ("580.95.05",))
    )
    assert found == Driver(version="570.133.20", models=(H100, H100), compat="580.95.05")


def test_without_driver_and_package_there_is_nothing_to_decide(tmp_path: Path) -> None:
    assert read_driver(tmp_path) == Driver(version=None, models=(), compat=None)
    said: list[str] = []
    assert with_compat({"A": "1"}, said.append, root=tmp_path) == {"A": "1"}
    assert said == []


def test_the_newest_of_several_packages_counts(tmp_path: Path) -> None:
    found = read_driver(container(tmp_path, compat=("580.95.05", "580.105.08", "575.9")))
    assert found.compat == "580.105.08"


def driver(version: str = "550.54.15", models: tuple[str, ...] = (H100,)) -> Driver:
    return Driver(version=version, models=models, compat="580.95.05")


@pytest.mark.parametrize(
    ("found", "instance_type", "use", "words"),
    [
        (driver(), "", True, "is put before LD_LIBRARY_PATH"),
        (driver("580.95.05"), "", False, "it is as new"),
        (driver("590.44.01"), "", False, "it is as new"),
        (driver(models=(GEFORCE,)), "ml.p5.48xlarge", False, f"no other on {GEFORCE}"),
        (driver(models=()), "ml.p5.48xlarge", True, "is put before"),
        (driver(models=()), "", False, "GPUs of unknown name"),
    ],
)
def test_an_older_driver_of_a_data_centre_gpu_takes_the_images_libraries(
    found: Driver, instance_type: str, use: bool, words: str
) -> None:
    chose, why = chosen(found, instance_type)
    assert chose is use
    assert words in why
    assert found.version in why
    assert "580.95.05" in why


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, COMPAT),
        ("", COMPAT),
        ("/opt/amazon/efa/lib", f"{COMPAT}:/opt/amazon/efa/lib"),
        (f"/a:{COMPAT}:/b", f"{COMPAT}:/a:/b"),
    ],
)
def test_the_libraries_come_first_and_what_was_set_stays(
    tmp_path: Path, before: str | None, after: str
) -> None:
    container(tmp_path, OPEN.format("550.54.15"), (H100,), ("580.95.05",))
    env = {"HOME": "/root"} | ({} if before is None else {"LD_LIBRARY_PATH": before})
    said: list[str] = []
    found = with_compat(env, said.append, root=tmp_path)
    assert found == {"HOME": "/root", "LD_LIBRARY_PATH": after}
    assert said == [
        f"cuda-compat 580.95.05, host's driver 550.54.15: {COMPAT} is put before LD_LIBRARY_PATH"
    ]
