"""Pipes: FIFOs fed epoch by epoch, to readers that stay, leave, come late, or never come."""

import gzip
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.s3 import ObjectStore
from sagedock.local.training.inputs import Input, Share
from sagedock.local.training.order import positions
from sagedock.local.training.pipes import Feeds, Pipe, clear_pipes
from sagedock.local.training.plan import keep_lines, write_uris
from sagedock.local.training.sources import Source
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.uris import S3Uri
from sagedock.testing import Container
from tests.conftest import BUCKET, REGION, Local

CHANNEL = Input(name="train", mode="Pipe", hosts=("algo-1",), uri=S3Uri(bucket=BUCKET, key="data/"))


class Fed:
    """A store, one channel's pipe, and what its feeds complained about."""

    def __init__(self, folder: Path) -> None:
        self.store = ObjectStore(folder / "s3")
        self.store.create_bucket(BUCKET, REGION)
        self.folder = folder
        self.errors: list[Exception] = []
        (folder / "fifos").mkdir()

    def put(self, key: str, body: bytes) -> str:
        file = self.folder / "body"
        file.write_bytes(body)
        self.store.put_file(BUCKET, key, file)
        return f"s3://{BUCKET}/{key}"

    def pipe(self, channel: Input = CHANNEL, share: Share | None = None) -> Pipe:
        plan = self.folder / "plans" / channel.name
        plan.unlink(missing_ok=True)
        source = Source(store=self.store, region=REGION)
        if channel.data_type == "AugmentedManifestFile" and channel.uri:
            keep_lines(source.find(channel.uri).path, plan)
        else:
            write_uris(source.uris(channel), plan)
        return Pipe(
            channel=channel,
            share=share or Share(),
            plan=plan,
            folder=self.folder / "fifos",
            begun=self.folder / "epochs" / channel.name,
        )

    def feeds(self, *pipes: Pipe) -> Feeds:
        return Feeds(self.store, REGION, pipes, self.errors.append)

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "fifos").iterdir())

    def read(self, epoch: int, size: int = -1, name: str = "train") -> bytes:
        """Read an epoch as a script does: wait for its FIFO, open it, read, close it."""
        path = self.folder / "fifos" / f"{name}_{epoch}"
        wait_for(path.exists)
        with path.open("rb", buffering=0) as fifo:
            return fifo.readall() if size < 0 else fifo.read(size)  # type: ignore[return-value]


def wait_for(true: Callable[[], Any]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.005)


@pytest.fixture
def fed(tmp_path: Path) -> Iterator[Fed]:
    made = Fed(tmp_path)
    yield made
    made.store.close()
    assert [each for each in threading.enumerate() if each.name.startswith("feed ")] == []
    assert open_below(tmp_path) == []


def open_below(folder: Path) -> list[str]:
    """Return this process's open files below a folder: others come and go with other tests."""
    opened = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(FileNotFoundError):  # it was closed meanwhile
            opened.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
    return [each for each in opened if each.startswith(f"{folder}/")]


def test_each_epoch_sends_all_and_its_fifo_comes_when_the_one_before_is_over(fed: Fed) -> None:
    fed.put("data/b", b"two")
    fed.put("data/a", b"one ")
    fed.put("data/folder/", b"")
    with fed.feeds(fed.pipe()):
        assert fed.names() == ["train_0"]
        assert fed.read(0) == b"one two"
        wait_for(lambda: fed.names() == ["train_1"])
        assert fed.read(1) == b"one two"
        assert fed.read(2, size=3) == b"one"
        assert fed.read(3) == b"one two"
    assert fed.errors == []


def test_many_small_pieces_arrive_whole_and_in_order(fed: Fed) -> None:
    bodies = [bytes([number % 251]) * (number * 97 % 40_000) for number in range(60)]
    for number, body in enumerate(bodies):
        fed.put(f"data/{number:02d}", body)
    with fed.feeds(fed.pipe()):
        assert fed.read(0) == b"".join(bodies)


def test_a_shard_without_objects_is_an_empty_epoch(fed: Fed) -> None:
    fed.put("data/a", b"one")
    with fed.feeds(fed.pipe(share=Share(index=1, count=2))):
        assert fed.read(0) == b""
        assert fed.read(1) == b""


def test_feeds_end_while_a_reader_sleeps_on_a_full_fifo(fed: Fed) -> None:
    fed.put("data/a", bytes(5_000_000))
    feeds = fed.feeds(fed.pipe()).start()
    with (fed.folder / "fifos/train_0").open("rb", buffering=0) as fifo:
        assert len(fifo.read(10)) == 10
        began = time.monotonic()
        feeds.close()
        assert time.monotonic() - began < 30
        rest = fifo.readall()
    assert 0 < len(rest) < 5_000_000


def test_feeds_end_though_nobody_opened_a_fifo(fed: Fed) -> None:
    fed.put("data/a", b"one")
    feeds = fed.feeds(fed.pipe(), fed.pipe(replace(CHANNEL, name="other"))).start()
    began = time.monotonic()
    feeds.close()
    assert time.monotonic() - began < 30


def test_after_a_kill_the_epoch_that_was_read_is_over_and_the_next_is_whole(fed: Fed) -> None:
    fed.put("data/a", bytes(3_000_000))
    pipe = fed.pipe()
    feeds = fed.feeds(pipe).start()
    with (fed.folder / "fifos/train_0").open("rb", buffering=0) as fifo:
        assert len(fifo.read(10)) == 10
        feeds.close()  # what a killed process leaves: its FIFO, and its end of it closed
        with fed.feeds(pipe):
            assert fed.names() == ["train_1"]
            assert len(fifo.readall()) < 3_000_000 - 10
            fifo.close()
            assert len(fed.read(1)) == 3_000_000


def test_after_a_kill_a_reader_that_waits_at_a_fifo_is_served(fed: Fed) -> None:
    fed.put("data/a", b"one")
    pipe = fed.pipe()
    fed.feeds(pipe).start().close()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fed.read(0)))
    reader.start()
    with fed.feeds(pipe):
        reader.join()
        assert got == [b"one"]
        wait_for(lambda: fed.names() == ["train_1"])
    # It waited at the next, or met that epoch's end at once and looks for the one behind it.
    with fed.feeds(pipe):
        assert fed.names() == ["train_1", "train_2"]
        assert fed.read(2) == b"one"
        assert fed.read(3) == b"one"


def test_another_attempt_begins_with_the_first_epoch(fed: Fed) -> None:
    fed.put("data/a", b"one")
    pipe = fed.pipe()
    with fed.feeds(pipe):
        assert fed.read(0) == b"one"
    clear_pipes([pipe])
    assert fed.names() == []
    with fed.feeds(pipe):
        assert fed.read(0) == b"one"


def test_an_object_that_is_gone_breaks_the_job_before_its_reader_meets_the_end(fed: Fed) -> None:
    fed.put("data/a", b"one")
    fed.put("data/b", b"two")
    pipe = fed.pipe()
    fed.store.delete(BUCKET, "data/b")
    with fed.feeds(pipe):
        fed.read(0)
        (error,) = fed.errors
    assert str(error) == (f"Failed to download data. S3 key: s3://{BUCKET}/data/b does not exist")


def augmented(fed: Fed, *lines: bytes, **changes: Any) -> Pipe:
    fed.put("manifest", b"\n".join(lines))
    channel = replace(
        CHANNEL,
        uri=S3Uri(bucket=BUCKET, key="manifest"),
        data_type="AugmentedManifestFile",
        attributes=("image-ref", "label"),
        **changes,
    )
    return fed.pipe(channel)


def line(**attributes: Any) -> bytes:
    return json.dumps({name.replace("_", "-"): it for name, it in attributes.items()}).encode()


def test_attributes_are_sent_in_the_order_asked_for(fed: Fed) -> None:
    uri = fed.put("image", b"<image>")
    pipe = augmented(
        fed,
        line(label=1, image_ref=uri, other="ignored"),
        b"",
        line(label={"b": [1.5, None, True]}, image_ref=uri),
        line(label="a text, ä", image_ref=uri),
    )
    with fed.feeds(pipe):
        assert fed.read(0).decode() == ('<image>1<image>{"b":[1.5,null,true]}<image>a text, ä')


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"no JSON", "has a line that is no JSON: "),
        (b"[" * 100_000, "has a line that is no JSON: "),
        (b"[1]", "has a line that is no JSON object"),
        (line(label=1), "has a line without the attribute 'image-ref'"),
        (line(label=1, image_ref=7), "has a line whose 'image-ref' is no S3 URI: 7"),
        (line(label=1, image_ref="/etc/passwd"), "has a line whose 'image-ref' is no S3 URI"),
        (line(label=1, image_ref="s3://no-such-bucket/a"), "cannot be read: "),
        (line(label=1, image_ref=f"s3://{BUCKET}/../../etc/passwd"), "cannot be read: "),
        (line(label=1, image_ref="s3://../etc"), "cannot be read: "),
        (line(label=1, image_ref=f"s3://{BUCKET}/a\0b"), "does not exist"),
        (line(label=1, image_ref=f"s3://{BUCKET}/\ud800"), "has a line whose 'image-ref' is no"),
        (line(label=1, image_ref=f"s3://{BUCKET}/absent"), "does not exist"),
    ],
)
def test_a_line_that_is_none_breaks_the_job_and_says_why(fed: Fed, bad: bytes, says: str) -> None:
    with fed.feeds(augmented(fed, bad)):
        fed.read(0)
        (error,) = fed.errors
    assert isinstance(error, ChannelUnreadable)
    assert says in str(error)
    assert len(str(error)) < 1000


def test_what_is_over_a_records_size_breaks_the_job(fed: Fed) -> None:
    fed.put("data/a", b"")
    with (fed.store.root / "buckets" / BUCKET / "data/a").open("wb") as file:
        file.truncate(1 << 29)
    with fed.feeds(fed.pipe(replace(CHANNEL, recordio=True))):
        assert fed.read(0) == b""
        (error,) = fed.errors
    assert "too large for a record" in str(error)


def test_gzip_of_several_members_is_unpacked_in_little_memory(fed: Fed) -> None:
    fed.put("data/a", gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three"))
    fed.put("data/b", gzip.compress(bytes(50_000_000)))
    with fed.feeds(fed.pipe(replace(CHANNEL, gzipped=True))):
        path = fed.folder / "fifos/train_0"
        with path.open("rb", buffering=0) as fifo:
            assert fifo.read(13) == b"one two three"
            size = 0
            while chunk := fifo.read(1 << 20):
                size += len(chunk)
    assert size == 50_000_000


@pytest.mark.parametrize("seed", [None, 7, 2**63 - 1])
def test_shards_of_a_shuffled_channel_are_everything_once(fed: Fed, seed: int | None) -> None:
    for name in "abcdef":
        fed.put(f"data/{name}", name.encode())
    channel = replace(CHANNEL, seed=seed)
    orders = set()
    for epoch in range(3):
        parts = []
        for index in range(2):
            pipe = fed.pipe(channel, Share(index=index, count=2))
            clear_pipes([pipe])
            with fed.feeds(pipe):
                for past in range(epoch):
                    fed.read(past)
                parts.append(fed.read(epoch).decode())
            clear_pipes([pipe])
        assert [len(part) for part in parts] == [3, 3]
        assert sorted("".join(parts)) == list("abcdef")
        orders.add(tuple(parts))
    assert len(orders) == (1 if seed is None else 3)


def test_an_order_depends_on_seed_and_epoch_alone() -> None:
    assert list(positions(5, None, epoch=3)) == [0, 1, 2, 3, 4]
    assert positions(1000, 7, epoch=1) == positions(1000, 7, epoch=1)
    assert positions(1000, 7, epoch=1) != positions(1000, 7, epoch=2)
    assert positions(1000, 7, epoch=1) != positions(1000, 8, epoch=1)


def test_a_job_reads_its_pipes(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"one")

    def program(container: Container) -> int:
        for epoch in range(2):
            path = container.on_host(f"/opt/ml/input/data/train_{epoch}")
            wait_for(path.exists)
            container.print(path.read_text())
        return 0

    channel = local.channel(f"s3://{BUCKET}/data/", InputMode="Pipe")
    job = local.run(program, InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    wait_for(lambda: not any(each.name.startswith("feed ") for each in threading.enumerate()))


def test_data_that_breaks_while_it_is_streamed_fails_the_job(local: Local) -> None:
    s3 = local.client("s3")
    s3.put_object(Bucket=BUCKET, Key="m", Body=b'{"a-ref": "s3://elsewhere/a"}')

    def program(container: Container) -> int:
        container.on_host("/opt/ml/input/data/train_0").read_bytes()
        return 0

    channel = local.channel(f"s3://{BUCKET}/m", InputMode="Pipe")
    channel["DataSource"]["S3DataSource"] |= {
        "S3DataType": "AugmentedManifestFile",
        "AttributeNames": ["a-ref"],
    }
    job = local.run(program, InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: Data download failed:Failed to download data. S3 key: s3://elsewhere/a "
        "cannot be read: The specified bucket does not exist"
    )


def test_feeds_that_cannot_start_are_closed_once_by_their_owner(fed: Fed) -> None:
    """A descriptor closed twice may be somebody else's by then."""
    pipe = replace(fed.pipe(), folder=fed.folder / "absent")
    with pytest.raises(FileNotFoundError), closing(fed.feeds(pipe)) as feeds:
        feeds.start()
    with pytest.raises(FileNotFoundError), fed.feeds(pipe):
        raise AssertionError("they started")


def test_a_kill_while_an_epoch_begins_leaves_the_number_of_the_one_before(fed: Fed) -> None:
    pipe = fed.pipe()
    pipe.begin(0)
    with pipe.begun.open() as kept_open:  # what is on the disk until the next number is whole
        pipe.begin(1)
        assert kept_open.read() == "0"
    assert pipe.last_begun() == 1
    assert [path.name for path in pipe.begun.parent.iterdir()] == ["train"]
