"""Where a value stands in a request, as the service writes it and as the caller wrote it."""

from dataclasses import dataclass

__all__ = ["TOP", "Place", "camel_case"]


def camel_case(name: str) -> str:
    """Return a member's name as the service prints it: ``RoleArn`` becomes ``roleArn``."""
    return name[:1].lower() + name[1:]


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place: ``path`` for the service's messages, ``member`` in the API's own casing.

    ``productionVariants.1.member.modelName`` and ``ProductionVariants[0].ModelName``: the service
    counts from one (aws-answers row 20 of the rest), Python from zero.
    """

    path: str = ""
    member: str = ""

    def of_member(self, name: str) -> "Place":
        """Return the place of a structure's member."""
        return Place(
            path=f"{self.path}.{camel_case(name)}" if self.path else camel_case(name),
            member=f"{self.member}.{name}" if self.member else name,
        )

    def of_item(self, index: int) -> "Place":
        """Return the place of a list's item, ``index`` counted from zero."""
        return Place(path=f"{self.path}.{index + 1}.member", member=f"{self.member}[{index}]")

    def of_entry(self, key: str) -> "Place":
        """Return the place of a map's value. Source: kinesalite, which was held to AWS."""
        return Place(path=f"{self.path}.{key}.member", member=f"{self.member}[{key!r}]")


TOP = Place()
