"""InvokeEndpointWithBidirectionalStream runs on AWS alone: it is refused by its name."""

import http.client
import json
from urllib.parse import urlsplit

from tests.conftest import Local


def test_a_bidirectional_stream_is_refused_by_name(local: Local) -> None:
    where = urlsplit(local.server.endpoint_url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    connection.request("POST", "/endpoints/mine/invocations-bidirectional-stream", b"{}")
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    assert answer.status == 400
    assert answer.getheader("x-amzn-errortype") == "ValidationError"
    assert "InvokeEndpointWithBidirectionalStream runs on AWS alone" in json.dumps(found)
