"""The names that a container finds in its /etc/hosts."""

from sagedock.testing import Container
from tests.conftest import Local


def test_one_host_is_its_own_loopback_in_both_forms(local: Local) -> None:
    seen: dict[str, str] = {}

    def look(container: Container) -> int:
        seen.update(container.spec.extra_hosts)
        return 0

    local.run(look)
    names = {name: address for name, address in seen.items() if "algo-" in name}
    assert names == {"algo-1": "127.0.0.1", "ip6-algo-1": "::ffff:127.0.0.1"}
