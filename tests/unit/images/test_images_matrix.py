"""containers/images.toml is read whole, and every problem in one is told at once."""

from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images import find_matrix, load_images

ROOT = Path(__file__).resolve().parents[3]
GOOD = """
[[image]]
name = "mine"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "team/mine"
tag = "v1"
base = "debian:12"
"""
GOOD_FIELDS = [line.partition(" =")[0] for line in GOOD.splitlines() if " = " in line]


@pytest.fixture
def matrix(tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE} AS final\n")
    return tmp_path / "images.toml"


def test_the_projects_own_matrix_is_sound():
    images = load_images(find_matrix(ROOT))
    assert {image.name for image in images} >= {"training-cpu", "training-cuda"}
    assert all(image.budget_mb for image in images if image.device == "cpu")
    cpu = next(image for image in images if image.name == "training-cpu")
    assert cpu.reference == "sagedock-training:cpu"
    assert cpu.uri() == "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
    assert cpu.uri(region="eu-west-1", account="1" * 12).startswith(
        "111111111111.dkr.ecr.eu-west-1."
    )


def test_defaults(matrix):
    matrix.write_text(GOOD)
    (image,) = load_images(matrix)
    assert (image.locks, image.python, dict(image.args)) == ((), "3.11", {})


def test_every_problem_is_told_at_once(matrix):
    matrix.write_text(
        """
[[image]]
name = "My Image"
kind = "trainning"
device = "tpu"
dockerfile = "nowhere/Dockerfile"
target = ""
repository = "UPPER"
tag = "a b"
locks = "x.lock"
instead = { "a.lock" = "b.lock" }
args = { N = 1 }
cuda = "thirteen"
instance_types = ["p4d.24xlarge"]
budget_mb = "2 GB"
on_request = "yes"
colour = "red"
"""
    )
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    text = str(caught.value)
    for words in [
        "name 'My Image' does not match",
        "kind 'trainning' is unknown: use one of training, serving, processing",
        "device 'tpu' is unknown: use one of cpu, cuda, neuron",
        "nowhere/Dockerfile is not there",
        "target must be a string that is not empty",
        "repository 'UPPER' does not match",
        "tag 'a b' does not match",
        "locks must be a list of strings",
        "b.lock is not there",
        "args must be a table of strings",
        "colour is no field",
        "cuda 'thirteen' does not match",
        "instance_types 'p4d.24xlarge' does not match",
        "budget_mb must be a whole number above 0, not '2 GB'",
        "on_request must be true or false, not 'yes'",
        "base is missing",
    ]:
        assert words in text
    assert all(str(matrix) in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[image]\n", "is not TOML"),
        ("", "must hold [[image]] tables"),
        ("image = 3\n", "must hold [[image]] tables"),
        ("image = [3]\n", "must hold [[image]] tables"),
        (GOOD + "[other]\n", "must hold [[image]] tables"),
        ("[image]\nname = 'mine'\n", "must hold [[image]] tables"),
        ("[[images]]\nname = 'mine'\n", "must hold [[image]] tables"),
        (GOOD + GOOD, "name 'mine' is there twice"),
        (GOOD + GOOD.replace('"mine"', '"other"'), "'team/mine:v1' is there twice"),
    ],
)
def test_what_is_no_matrix_is_refused(matrix, text, words):
    matrix.write_text(text)
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    assert words in str(caught.value)


@pytest.mark.parametrize("value", ["5", "true", "[5]", "[[1]]", "{ a = { b = 1 } }", "1.5"])
def test_a_value_of_a_wrong_type_is_told_whatever_the_field(matrix, value):
    """Each field alone, and a second image that has it, too: names are compared."""
    for field in (*GOOD_FIELDS, "locks", "instance_types", "instead", "args", "labels", "python"):
        lines = [line for line in GOOD.splitlines() if not line.startswith(f"{field} =")]
        text = "\n".join([*lines, f"{field} = {value}\n"])
        matrix.write_text(text + text)
        with pytest.raises(InvalidRequest, match=f"{field} "):
            load_images(matrix)


def test_without_a_checkout_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest, match=r"holds no containers/images\.toml: go to the folder"):
        find_matrix()


def test_an_unreadable_matrix_is_a_clear_error(tmp_path):
    with pytest.raises(InvalidRequest, match="cannot be read"):
        load_images(tmp_path)


def test_a_device_and_its_version_belong_together(matrix):
    matrix.write_text(GOOD.replace('"cpu"', '"cuda"'))
    with pytest.raises(InvalidRequest, match="cuda is missing: device 'cuda' needs the version"):
        load_images(matrix)
    matrix.write_text(GOOD + 'neuron = "2.29"\n')
    with pytest.raises(InvalidRequest, match="neuron is for device 'neuron': remove it"):
        load_images(matrix)


def test_lists_and_numbers_are_read(matrix):
    matrix.write_text(
        GOOD.replace('"cpu"', '"cuda"')
        + 'cuda = "13.0"\ninstance_types = ["ml.g5.xlarge"]\nbudget_mb = 9000\n'
    )
    (image,) = load_images(matrix)
    assert (image.cuda, image.instance_types, image.budget_mb) == ("13.0", ("ml.g5.xlarge",), 9000)


def test_problems_of_several_tables_are_told_at_once(matrix):
    matrix.write_text(
        GOOD
        + GOOD.replace('"cpu"', '"cuda"')
        + GOOD.replace('"mine"', '"third"').replace('"Dockerfile"', '"../Dockerfile"')
    )
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    text = "\n".join(caught.value.problems)
    assert "name 'mine' is there twice" in text
    assert text.count("'team/mine:v1' is there twice") == 2
    assert "cuda is missing" in text
    assert "'../Dockerfile' leads out of" in text


def test_instance_types_are_sagemakers(matrix):
    matrix.write_text(GOOD + 'instance_types = ["ml.p4d.24xlarge", "ml.g5.7xlarge", "g5.xlarge"]\n')
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    wrong, shape = caught.value.problems
    assert "instance_types 'ml.g5.7xlarge' is no instance type of SageMaker: the nearest" in wrong
    assert "instance_types 'g5.xlarge' does not match" in shape


def test_a_replacement_is_for_a_lock_that_is_there(matrix, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.lock").write_text("")
    matrix.write_text(GOOD + 'instead = { "a.lock" = "b.lock" }\n')
    with pytest.raises(InvalidRequest, match=r"replaces 'a\.lock', which locks do not name"):
        load_images(matrix)
    matrix.write_text(GOOD + 'locks = ["a.lock"]\ninstead = { "a.lock" = "b.lock" }\n')
    assert load_images(matrix)[0].instead == {"a.lock": "b.lock"}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", ".."])
@pytest.mark.parametrize("key", ["dockerfile", "locks"])
def test_a_path_leads_nowhere_else(matrix, key, path):
    if key == "dockerfile":
        matrix.write_text(GOOD.replace('"Dockerfile"', f'"{path}"'))
    else:
        matrix.write_text(GOOD + f'locks = ["{path}"]\n')
    with pytest.raises(InvalidRequest, match=f"{key}: '{path}' leads out of"):
        load_images(matrix)


def test_a_folder_is_no_file(matrix):
    (matrix.parent / "t7").mkdir()
    matrix.write_text(GOOD.replace('"Dockerfile"', '"t7"') + 'locks = ["t7"]\n')
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    folder = matrix.parent / "t7"
    assert caught.value.problems == tuple(
        f"{matrix}: image 'mine': {key}: {folder} is a folder: name a file in it"
        for key in ("dockerfile", "locks")
    )


def test_no_image_starts_from_itself(matrix):
    def table(name, base):
        return GOOD.replace("mine", name).replace("debian:12", base)

    matrix.write_text(table("a", "team/b:v1") + table("b", "team/a:v1") + table("c", "team/a:v1"))
    with pytest.raises(InvalidRequest) as caught:
        load_images(matrix)
    assert [problem.partition("image ")[2][:3] for problem in caught.value.problems] == [
        "'a'",
        "'b'",
    ]
    assert "base 'team/b:v1' starts from this image itself" in str(caught.value)
