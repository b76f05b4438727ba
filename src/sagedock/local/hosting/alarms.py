"""CloudWatch's alarms as an update sees them: which exist, and which went off."""

from collections.abc import Sequence
from dataclasses import dataclass

from sagedock.local.autoscaling import alarm_state
from sagedock.local.others import other_alarm_state
from sagedock.local.platform import Platform

__all__ = ["Alarms"]


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """The alarms of one region, our own and moto's, by name."""

    platform: Platform
    region: str
    names: Sequence[str]

    def absent(self) -> list[str]:
        """Return those that do not exist."""
        return [name for name in self.names if self._state(name) is None]

    def gone_off(self) -> list[str]:
        """Return those that are in ALARM now."""
        return [name for name in self.names if self._state(name) == "ALARM"]

    def _state(self, name: str) -> str | None:
        own = alarm_state(self.platform.resources, self.region, name)
        return own or other_alarm_state(self.platform.settings.account, self.region, name)
