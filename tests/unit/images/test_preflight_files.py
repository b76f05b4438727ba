"""What a container sees of layers: deletions, folders hidden, links followed."""

import tarfile
from dataclasses import replace

import pytest

from sagedock.images.preflight.archive import Bytes
from sagedock.images.preflight.files import laid_over
from sagedock.images.preflight.layer import read_layer
from tests.unit.images.made_images import layer


def seen(*layers):
    return laid_over(read_layer(Bytes(iter([each]))) for each in layers)


def test_deleted_files_and_folders_are_gone_with_what_was_in_them():
    lower = layer({"a": b"1", "d/x": b"1", "d/e/y": b"1", "dd/z": b"1"})
    assert set(seen(lower, layer({".wh.a": b"", ".wh.d": b""})).entries) == {"dd/z"}


def test_a_hidden_folder_keeps_what_its_own_layer_has():
    lower, upper = layer({"d/x": b"1"}), layer({"d/.wh..wh..opq": b"", "d/y": b"2"})
    assert set(seen(lower, upper).entries) == {"d/y"}


def test_a_hidden_folder_is_itself_still_there():
    folder = tarfile.TarInfo("d")
    folder.type = tarfile.DIRTYPE
    whole = seen(layer({"d/x": b"1"}, folder), layer({"d/.wh..wh..opq": b""}))
    assert {path: each.kind for path, each in whole.entries.items()} == {"d": "folder"}


def test_as_many_links_are_followed_as_linux_follows():
    chain = {f"{number}": f"{number + 1}" for number in range(41)}
    whole = seen(layer({**chain, "41": b"x"}))
    assert (whole.resolve("1"), whole.resolve("0")) == ("41", None)


def test_a_deleted_file_that_comes_again_is_there():
    whole = seen(layer({"a": b"1"}), layer({".wh.a": b""}), layer({"a": (b"22", 0o755)}))
    assert whole.entries["a"].size == 2


def test_a_folder_that_becomes_a_file_takes_its_content_with_it():
    folder = tarfile.TarInfo("d")
    folder.type = tarfile.DIRTYPE
    assert set(seen(layer({"d/x": b"1"}, folder), layer({"d": b"file"})).entries) == {"d"}


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/bin/sh", "usr/bin/dash"),
        ("bin/../bin/dash", "usr/bin/dash"),
        ("/up", "usr/bin/dash"),
        ("/usr/bin/dash", "usr/bin/dash"),
        ("/usr", "usr"),
        ("/loop", None),
        ("/dangling", None),
        ("/nothing", None),
    ],
)
def test_links_are_followed_inside_the_image(path, leads_to):
    whole = seen(
        layer(
            {
                "usr/bin/dash": b"x",
                "usr/bin/sh": "dash",
                "bin": "usr/bin",
                "up": "../../../usr/bin/dash",
                "loop": "loop",
                "dangling": "/absent",
            }
        )
    )
    assert whole.resolve(path) == leads_to


def test_hard_links_are_the_file_itself():
    again = tarfile.TarInfo("b")
    again.type, again.linkname = tarfile.LNKTYPE, "a"
    whole = seen(layer({"a": (b"#!/bin/sh\n", 0o755)}, again))
    assert whole.entries["b"] == replace(whole.entries["a"], link="a")


def test_programs_are_looked_for_in_order():
    whole = seen(layer({"x/train": b"1", "y/train": b"2"}))
    assert whole.which("train", ["/z", "/y", "/x"]) == "y/train"
    assert whole.which("/x/train", []) == "x/train"
    assert whole.which("serve", ["/x"]) is None
