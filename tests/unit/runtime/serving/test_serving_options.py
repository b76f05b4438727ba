"""What the environment says of serving."""

from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.copies import copies_that_fit
from sagedock.runtime.serving.options import Options, gpus_of
from sagedock.runtime.serving.serve import main


def test_without_a_word_it_is_as_the_platform_documents() -> None:
    options = Options.read({}, devices=Path("/nowhere"))
    assert (options.port, options.timeout_s, options.startup_timeout_s) == (8080, 60, 600)
    assert options.max_payload_bytes == 25 * 1024 * 1024
    assert options.workers >= 1
    assert options.workers * options.threads >= 1


def test_every_word_is_heard() -> None:
    options = Options.read(
        {
            "SAGEMAKER_BIND_TO_PORT": "9090",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "2.5",
            "SAGEMAKER_STARTUP_TIMEOUT": "30",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "7",
            "SAGEMAKER_BATCH_STRATEGY": "SingleRecord",
            "SAGEDOCK_QUEUE_SIZE": "11",
            "SAGEDOCK_BATCH_SIZE": "5",
        }
    )
    assert (options.port, options.workers, options.timeout_s) == (9090, 3, 2.5)
    assert (options.startup_timeout_s, options.max_payload_mb, options.transforms) == (30, 6, 7)
    assert (options.queue_size, options.batch_size, options.several_records) == (11, 5, False)


def test_the_timeout_has_two_names_of_which_one_goes_first() -> None:
    both = {
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "7",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "8",
    }
    assert Options.read(both).timeout_s == 8
    del both["SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS"]
    assert Options.read(both).timeout_s == 7
    with pytest.raises(InvalidRequest, match="SAGEMAKER_MODEL_SERVER_TIMEOUT: 'x' must be a num"):
        Options.read({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "x"})


def test_batch_transforms_zero_means_as_much_as_there_may_be() -> None:
    any_size = {"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}
    assert Options.read({**any_size, "SAGEMAKER_BATCH": "True"}).max_payload_mb == 100
    with pytest.raises(InvalidRequest, match="'0' must be a whole number from 1 to 100"):
        Options.read(any_size)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        Options.read(
            {
                "SAGEMAKER_BIND_TO_PORT": "70000",
                "SAGEMAKER_MODEL_SERVER_WORKERS": "many",
                "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "0",
                "SAGEMAKER_MAX_PAYLOAD_IN_MB": "101",
            }
        )
    assert refusal.value.problems == (
        "SAGEMAKER_MODEL_SERVER_WORKERS: 'many' must be a whole number from 1 to 10000",
        "SAGEMAKER_BIND_TO_PORT: '70000' must be a whole number from 1 to 65535",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS: '0' must be a number of seconds above 0",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB: '101' must be a whole number from 1 to 100",
    )


def test_one_worker_for_each_gpu(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus_of({}, tmp_path) == ("0", "1")
    assert gpus_of({"CUDA_VISIBLE_DEVICES": "3,GPU-1"}, tmp_path) == ("3", "GPU-1")
    assert gpus_of({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == ()
    assert Options.read({}, devices=tmp_path).workers == 2
    assert Options.read({"SAGEMAKER_MODEL_SERVER_WORKERS": "4"}, devices=tmp_path).workers == 4


@pytest.mark.parametrize(
    ("server", "says"),
    [("tomcat", "'tomcat': use native or mms"), ("mms", "no Multi Model Server")],
)
def test_a_server_that_is_not_there_is_named_last(server: str, says: str, capfd: object) -> None:
    assert main({"SAGEDOCK_SERVER": server}) == 1
    assert says in capfd.readouterr().err.splitlines()[-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("megabytes", "copies"),
    [(1, 1), (400, 1), (1000, 1), (2000, 3), (64_000, 102)],
    ids=lambda n: f"{n}",
)
def test_as_many_copies_as_fit_the_memory(tmp_path: Path, megabytes: int, copies: int) -> None:
    (tmp_path / "code").mkdir()
    for name in ("a.bin", "code/b.bin"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(122 * 1024 * 1024)
    (tmp_path / "link").symlink_to("a.bin")
    assert copies_that_fit(tmp_path, megabytes * 1024 * 1024) == copies
