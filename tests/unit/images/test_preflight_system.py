"""glibc, doubles, size, names that lead out; the network of several instances; Neuron."""

import random
import re

import pytest

from sagedock.images.preflight.checks.network import network_rows
from sagedock.images.preflight.checks.neuron import neuron_rows
from sagedock.images.preflight.checks.system import system_rows
from sagedock.images.preflight.target import Target
from tests.unit.images.made_images import dist_info, facts, rows

LIBC = b"\x7fELF...GNU C Library (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.\n"
WHEELS = "usr/lib/python3/site-packages/nvidia"


def system(files, *more, **changes):
    return rows(system_rows(facts(files, *more, **changes)))


@pytest.mark.parametrize(
    ("tag", "verdict", "needed"),
    [
        ("cp311-cp311-manylinux_2_28_x86_64", "ok", "glibc 2.28 or newer, for torch"),
        ("cp311-cp311-manylinux_2_36_x86_64", "ok", "glibc 2.36 or newer, for torch"),
        ("cp311-cp311-manylinux_2_39_x86_64", "fails", "glibc 2.39 or newer, for torch"),
        ("cp311-cp311-manylinux2014_x86_64", "ok", "glibc 2.17 or newer, for torch"),
        ("cp311-cp311-manylinux_2_39_x86_64\nTag: x-manylinux_2_28_x86_64", "ok", "glibc 2.28"),
        ("py3-none-any", "ok", "glibc"),
    ],
)
def test_glibc_against_the_wheels_tags(tag, verdict, needed):
    row = system({"lib/x86_64-linux-gnu/libc.so.6": LIBC, **dist_info("torch", "2.4", tag)})[
        "glibc"
    ]
    assert (row.verdict, row.found) == (verdict, "glibc 2.36")
    assert row.needed.startswith(needed)


def test_musl_runs_no_wheels_made_for_glibc():
    musl = {"lib/ld-musl-x86_64.so.1": b"\x7fELF"}
    wheel = dist_info("torch", "2.4", "cp311-cp311-manylinux_2_28_x86_64")
    assert system({**musl, **wheel})["glibc"].verdict == "fails"
    assert system(musl)["glibc"].verdict == "cannot say"
    assert system(musl)["glibc"].found == "musl, and no glibc"


def test_a_cuda_library_twice_is_told_with_its_places_and_its_size():
    row = system(
        {
            f"{WHEELS}/cublas/lib/libcublas.so.12": b"x" * 3_000_000,
            "usr/local/cuda-12.4/lib64/libcublas.so.12.4.5.8": b"x" * 2_000_000,
            "usr/local/cuda-12.4/lib64/libcublas.so.12": "libcublas.so.12.4.5.8",
            f"{WHEELS}/cuda_runtime/lib/libcudart.so.12": b"x",
        }
    )["CUDA libraries"]
    assert row.verdict == "warns"
    assert "libcublas.so.12 in /usr/lib/python3" in row.found
    assert "/usr/local/cuda-12.4/lib64/libcublas.so.12.4.5.8" in row.found
    assert "libcudart" not in row.found
    assert row.remedy == "leave one out: 2 MB, and versions differ of libcublas.so.12"


def test_links_stubs_and_cuda_compat_are_no_doubles():
    row = system(
        {
            "usr/local/cuda/lib64/libcudart.so.12.4.127": b"x",
            "usr/local/cuda/lib64/libcudart.so.12": "libcudart.so.12.4.127",
            "usr/local/cuda/lib64/stubs/libcublas.so.12": b"x",
            "usr/local/cuda/compat/libcuda.so.550.54.15": b"x",
            "usr/local/cuda/compat/libnvidia-ml.so.1": b"x",
            "usr/local/cuda-12.1/compat/libnccl.so.2": b"x",
            "usr/local/cuda-12.4/lib64/libnccl.so.2": b"x",
        }
    )
    assert row["CUDA libraries"].verdict == "ok"
    assert "driver in the image" not in row


def test_a_repaired_wheels_copy_is_the_same_library():
    row = system(
        {
            "usr/lib/python3/site-packages/x.libs/libcudart-d0da41ae.so.11.0": b"x",
            "usr/local/cuda/lib64/libcudart.so.11.0.221": b"x",
        }
    )["CUDA libraries"]
    assert row.verdict == "warns"


def test_nvidias_driver_inside_is_warned_of():
    row = system({"usr/lib/x86_64-linux-gnu/libcuda.so.535.54.03": b"x"})["driver in the image"]
    assert row.verdict == "warns"


def test_the_size_forecasts_the_start():
    row = system({"srv/data": bytes(3_000_000)})["size"]
    assert re.fullmatch(r"about \d kB compressed \(3 MB in 1 layer\)", row.found)
    assert row.needed == "about 0 s of each start that has to download it"
    two = system({"srv/data": b"x"}, {"srv/more": random.Random(1).randbytes(2_000_000)})["size"]
    assert two.found == "about 2 MB compressed (2 MB in 2 layers, the largest is layer 2: 2 MB)"


def test_a_large_image_takes_long_to_start():
    found = facts()
    (only,) = found.saved.layers
    only.packed_size, only.size = 17_700_000_000, 40_000_000_000
    row = rows(system_rows(found))["size"]
    assert row.found == "about 17.70 GB compressed (40.00 GB in 1 layer)"
    assert row.needed.startswith("about 336 s of each start")


def test_names_that_lead_out_fail():
    row = system({}, {"../../etc/passwd": b"x"})["archive"]
    assert (row.verdict, row.found) == ("fails", "1 files whose names lead out of the image")
    assert "archive" not in system({})


def network(files, instance_type="ml.p4d.24xlarge", count=2, **changes):
    target = Target(instance_type=instance_type, use="training", count=count)
    return rows(network_rows(facts(files, **changes), target))


EFA = {
    "opt/amazon/efa/lib/libfabric.so.1.30.0": b"x",
    "usr/lib/x86_64-linux-gnu/libefa.so.1.3.54": b"x",
    "opt/amazon/ofi-nccl/lib/libnccl-net-ofi.so": b"x",
    "etc/ld.so.conf.d/efa.conf": b"/opt/amazon/efa/lib\n/opt/amazon/ofi-nccl/lib\n",
    **dist_info("nvidia_nccl_cu12", "2.26.2"),
}


def verdicts(found):
    return {name: str(row.verdict) for name, row in found.items()}


def test_several_instances_need_nccl_and_should_have_efa():
    assert verdicts(network({})) == {"NCCL": "fails", "EFA": "warns", "aws-ofi-nccl": "warns"}
    assert verdicts(network(EFA)) == {"NCCL": "ok", "EFA": "ok", "aws-ofi-nccl": "ok"}
    assert network(EFA, count=1) == {}


def test_libraries_that_the_loader_does_not_find_are_told_with_their_folder():
    files = {path: content for path, content in EFA.items() if not path.startswith("etc/")}
    told = network(files)
    assert verdicts(told) == {"NCCL": "ok", "EFA": "warns", "aws-ofi-nccl": "warns"}
    assert told["aws-ofi-nccl"].remedy.startswith("add /opt/amazon/ofi-nccl/lib to LD_LIBRARY_PATH")
    named = {"Env": ["LD_LIBRARY_PATH=/opt/amazon/efa/lib:/opt/amazon/ofi-nccl/lib"]}
    assert verdicts(network(files, settings=named))["EFA"] == "ok"


def test_instances_without_efa_or_gpus_need_less():
    assert verdicts(network({}, "ml.g5.xlarge")) == {"NCCL": "fails", "EFA": "ok"}
    assert verdicts(network({}, "ml.m5.xlarge")) == {"EFA": "ok"}
    assert set(network({}, "ml.trn1.32xlarge")) == {"EFA"}


def neuron(files, instance_type):
    target = Target(instance_type=instance_type, use="training")
    return rows(neuron_rows(facts(files), target))


RUNTIME = {
    "var/lib/dpkg/status": b"Package: aws-neuronx-runtime-lib\nStatus: install ok installed\n"
    b"Priority: optional\nVersion: 2.32.31.0\nDescription: x\n\nPackage: gone\n"
    b"Status: deinstall ok config-files\nVersion: 1\n",
}


@pytest.mark.parametrize(
    ("files", "instance_type", "expected"),
    [
        ({}, "ml.trn1.32xlarge", ("fails", "warns", "fails")),
        (
            {
                **dist_info("torch_neuronx", "2.9.0.2.14.27725"),
                **dist_info("neuronx_cc", "2.25.3371.0"),
                **RUNTIME,
            },
            "ml.trn1.32xlarge",
            ("ok", "ok", "ok"),
        ),
        (
            {
                **dist_info("torch_neuronx", "1.0"),
                **dist_info("neuronx_cc", "1.0"),
                "opt/aws/neuron/lib/libnrt.so.1": b"x",
            },
            "ml.inf2.xlarge",
            ("fails", "fails", "ok"),
        ),
        (
            {
                **dist_info("torch_neuronx", "2.1.2"),
                **dist_info("neuronx_cc", "2.12.54.0"),
                "opt/aws/neuron/lib/libnrt.so.1": b"x",
            },
            "ml.trn2.48xlarge",
            ("ok", "fails", "ok"),
        ),
        (
            {
                **dist_info("libneuronxla", "2.1.681.0"),
                **dist_info("neuronx_cc", "2.16.345.0"),
                **RUNTIME,
            },
            "ml.trn2.48xlarge",
            ("ok", "ok", "ok"),
        ),
    ],
    ids=["nothing", "all", "empty packages", "an old compiler", "the first compiler"],
)
def test_neurons_parts(files, instance_type, expected):
    told = neuron(files, instance_type)
    assert (
        tuple(str(told[f"Neuron {part}"].verdict) for part in ("framework", "compiler", "runtime"))
        == expected
    )


def test_several_trainium_instances_need_the_collectives():
    def verdict(files, count=2):
        target = Target(instance_type="ml.trn1.32xlarge", use="training", count=count)
        found = rows(neuron_rows(facts(files), target)).get("Neuron collectives")
        return found and str(found.verdict)

    package = b"Package: aws-neuronx-collectives\nStatus: install ok installed\nVersion: 2.32\n"
    assert verdict({}) == "fails"
    assert verdict({"opt/aws/neuron/lib/libnccom.so.2.32": b"x"}) == "ok"
    assert verdict({"var/lib/dpkg/status": package}) == "ok"
    gone = package.replace(b"install ok installed", b"deinstall ok config-files")
    assert verdict({"var/lib/dpkg/status": gone}) == "fails"
    assert verdict({}, count=1) is None


def test_inferentia_one_needs_its_own_packages():
    told = neuron(dist_info("torch_neuron", "1.13.1"), "ml.inf1.xlarge")
    assert verdicts(told) == {"Neuron framework": "ok", "Neuron compiler": "warns"}


def test_neuron_is_of_no_use_elsewhere():
    assert verdicts(neuron(dist_info("torch_neuronx", "2.9.0"), "ml.g5.xlarge")) == {
        "Neuron": "warns"
    }
    assert neuron({}, "ml.g5.xlarge") == {}
