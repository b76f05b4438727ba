"""GET /ping, as the platform asks it."""

import http.client

from sagedock.contract import limits, network

__all__ = ["answers_ping"]

_OK = 200


def answers_ping(address: tuple[str, int]) -> bool:
    """Say whether a container answers /ping with 200, within the time it has for it."""
    connection = http.client.HTTPConnection(*address, timeout=float(limits.PING_ANSWER_S.value))
    try:
        connection.request("GET", network.PING_PATH)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
