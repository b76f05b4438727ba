"""Metric definitions over the lines of every host."""

from sagedock.local.logs import Event
from sagedock.local.training.metrics import final_metrics

LOSS = [{"Name": "loss", "Regex": "loss=([0-9.e+-]+|nan)"}]


def event(stream: int, time_ms: int, message: str) -> Event:
    return Event(stream=stream, number=0, time_ms=time_ms, ingested_ms=0, message=message)


def test_of_several_hosts_the_latest_line_counts() -> None:
    events = [event(1, 1000, "loss=3"), event(1, 9500, "loss=1"), event(2, 5000, "loss=2")]
    assert final_metrics(LOSS, events) == [{"MetricName": "loss", "Value": 1.0, "Timestamp": 9.0}]


def test_a_line_may_hold_several_values_and_the_last_counts() -> None:
    assert final_metrics(LOSS, [event(1, 0, "loss=3 loss=0.5")])[0]["Value"] == 0.5


def test_what_is_no_finite_number_is_no_value() -> None:
    events = [event(1, 0, "loss=0.25"), event(1, 1, "loss=nan"), event(1, 2, "loss=1e999")]
    assert final_metrics(LOSS, events)[0]["Value"] == 0.25
