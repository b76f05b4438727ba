"""What is written here, botocore reads; what botocore writes, is read here."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from sagedock import api
from sagedock.api.model import input_shape, operation, output_shape, protocol
from tests.laws.api_examples import fullest

every_service = pytest.mark.parametrize("service", ["sagemaker", "logs"])


def as_utc(value: Any) -> Any:
    """Return ``value`` with its datetimes in UTC, which botocore gives in the local zone."""
    match value:
        case dict():
            return {key: as_utc(item) for key, item in value.items()}
        case list():
            return [as_utc(item) for item in value]
        case datetime():
            return value.astimezone(UTC)
        case _:
            return value


@every_service
def test_botocore_reads_every_answer_as_it_was_given(service: str) -> None:
    parser = create_parser(protocol(service))
    for name in api.operations(service):
        shape = output_shape(service, name)
        if shape is None or operation(service, name).has_event_stream_output:
            continue
        answer = fullest(shape)
        assert not api.problems_in_answer(service, name, answer), name
        body = api.encode(service, name, answer)
        parsed = parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)
        parsed.pop("ResponseMetadata")
        assert as_utc(parsed) == answer, name


@every_service
def test_a_request_that_botocore_writes_is_read_as_it_was_meant(service: str) -> None:
    serializer = create_serializer(protocol(service))
    for name in api.operations(service):
        shape = input_shape(service, name)
        request = {} if shape is None else fullest(shape)
        body = serializer.serialize_to_request(request, operation(service, name))["body"]
        value = api.read_json(body)
        assert api.type_problem(service, name, value) is None, name
        # JSON requests carry whole seconds: botocore cuts the fraction off.
        decoded = api.decode(value, service, name)
        assert without_fractions(decoded) == without_fractions(request), name


def without_fractions(value: Any) -> Any:
    match value:
        case dict():
            return {key: without_fractions(item) for key, item in value.items()}
        case list():
            return [without_fractions(item) for item in value]
        case datetime():
            return value.replace(microsecond=0)
        case _:
            return value
