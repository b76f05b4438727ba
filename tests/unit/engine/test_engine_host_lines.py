"""Lines of /etc/hosts, as Docker takes them."""

from sagedock.engine.host_lines import host_lines


def test_an_address_is_found_in_both_its_forms() -> None:
    assert host_lines({"algo-1": "172.18.0.10", "algo-2": "fd00::2"}) == [
        "algo-1:172.18.0.10",
        "ip6-algo-1:::ffff:172.18.0.10",
        "algo-2:fd00::2",
    ]


def test_dockers_own_words_are_left_as_they_are() -> None:
    hosts = {"algo-1": "127.0.0.1", "gateway": "host-gateway"}
    assert host_lines(hosts) == [
        "algo-1:127.0.0.1",
        "ip6-algo-1:::ffff:127.0.0.1",
        "gateway:host-gateway",
    ]
