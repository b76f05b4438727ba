"""A network keeps the subnet that the engine chose, also where others make networks meanwhile."""

import pytest
from docker.errors import APIError

from sagedock.engine.networks import make_network, network_addresses

OVERLAP = "Pool overlaps with other one on this address space"


class Api:
    """The calls of docker's client that make networks; `taken` of its subnets are lost to others.

    Subnets are handed out in their order; a network that does not ask for one gets the next.
    """

    def __init__(self, taken=0, refusal=OVERLAP, subnets=True):
        self.taken, self.refusal, self.subnets = taken, refusal, subnets
        self.networks, self.chosen = {}, 0

    def create_network(self, name, driver, labels, internal, ipam=None):
        assert (name in self.networks, driver, internal) == (False, "bridge", True)
        if ipam is None:
            self.chosen += 1
            pool = {"Subnet": f"172.{16 + self.chosen}.0.0/16"} if self.subnets else {}
        elif self.taken:
            self.taken -= 1
            raise APIError("403 Client Error", explanation=self.refusal)
        else:
            (pool,) = ipam["Config"]
        self.networks[name] = (pool, labels, ipam is not None)

    def remove_network(self, name):
        del self.networks[name]

    def inspect_network(self, name):
        pool, _, _ = self.networks[name]
        return {"IPAM": {"Config": [pool] if pool else None}}


def test_the_subnet_that_the_engine_chose_is_asked_for():
    api = Api()
    make_network(api, "n", {"a": "b"}, True)
    _, labels, asked = api.networks["n"]
    assert (labels, asked) == ({"a": "b"}, True)
    assert network_addresses(api, "n")["Subnet"] == "172.17.0.0/16"


@pytest.mark.parametrize("taken", [1, 4])
def test_a_subnet_that_another_network_got_meanwhile_is_chosen_again(taken):
    api = Api(taken)
    make_network(api, "n", {}, True)
    assert network_addresses(api, "n")["Subnet"] == f"172.{17 + taken}.0.0/16"


def test_an_engine_that_refuses_each_subnet_is_not_asked_forever():
    api = Api(taken=10_000)
    with pytest.raises(APIError, match="403"):
        make_network(api, "n", {}, True)
    assert api.networks == {}
    assert api.chosen < 20


def test_another_refusal_is_told_at_once():
    api = Api(taken=1, refusal="invalid subnet")
    with pytest.raises(APIError):
        make_network(api, "n", {}, True)
    assert api.chosen == 1


def test_a_network_without_addresses_stays_as_it_is():
    api = Api(subnets=False)
    make_network(api, "n", {}, True)
    assert network_addresses(api, "n") == {}
