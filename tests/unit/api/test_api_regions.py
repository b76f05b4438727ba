"""Names of regions: what has not their form is refused with the nearest, a new one is let pass."""

import pytest

from sagedock.api.regions import known_regions, refuse_region, region_problem, unknown_region
from sagedock.errors import InvalidRequest


def test_every_region_of_botocore_s_has_the_form_and_is_known() -> None:
    from botocore.session import Session

    session = Session(session_vars={"profile": (None,) * 4})
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition):
            assert region_problem(region, "region") is None
            assert unknown_region(region) is None
    assert "aws-global" not in known_regions()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("mars", "us-east-1"),
        ("us-west", "us-west-2"),
        ("US-WEST-2", "us-west-2"),
        ("us_west_2", "us-west-2"),
        ("us-west-2a", "us-west-2"),
        ("eu-central-1\n", "eu-central-1"),
        ("aws-global", "us-"),
        ("", "us-east-1"),
    ],
)
def test_what_is_no_name_of_a_region_is_told_with_the_nearest(wrong: str, near: str) -> None:
    said = region_problem(wrong, "--region")
    assert said is not None
    assert said.startswith(f"--region: {wrong!r} is no name of a region: use one like ")
    assert near in said


def test_a_region_that_is_new_is_let_pass_with_a_warning() -> None:
    assert region_problem("ap-southwest-9", "region") is None
    assert "ap-south" in str(unknown_region("ap-southwest-9"))
    refuse_region("ap-southwest-9", "region")
    refuse_region(None, "region")


def test_it_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^SAGEDOCK_REGION: 'mars' is no name"):
        refuse_region("mars", "SAGEDOCK_REGION")
