"""Create, Describe, List, Update, Delete and BatchDescribeModelPackage."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagedock.api import registry_messages as words
from sagedock.local.caller import Caller
from sagedock.local.events import Events
from sagedock.local.lineage import record_package
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.registry import group_document, package_document
from sagedock.local.registry.names import PACKAGE, Shelf, group_of, versioned_name
from sagedock.local.registry.package_event import STATE_CHANGE, event_detail
from sagedock.local.registry.sources import sourced
from sagedock.local.registry.specifications import Specifications, additional
from sagedock.local.registry.unsupported import unsupported_package
from sagedock.local.resources import Resource

__all__ = ["PackageOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(
    kind=PACKAGE,
    member="ModelPackageSummaryList",
    equals={"ModelApprovalStatus": "ModelApprovalStatus"},
)
_VERSIONED = "*/*"
_MOST_SPECIFICATIONS = 15
_MOST_PROPERTIES = 50
_SPECIFICATION, _ADDITIONAL = "InferenceSpecification", "AdditionalInferenceSpecifications"
_TO_ADD = "AdditionalInferenceSpecificationsToAdd"


class PackageOperations:
    """The operations on model packages. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"BatchDescribeModelPackage", "DescribeModelPackage", "ListModelPackages"})

    def __init__(self, platform: Platform, events: Events) -> None:
        self._platform = platform
        self._events = events

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "BatchDescribeModelPackage": self.describe_several,
            "CreateModelPackage": self.create,
            "DeleteModelPackage": self.delete,
            "DescribeModelPackage": self.describe,
            "ListModelPackages": self.list,
            "UpdateModelPackage": self.update,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a package: the next version of a group, or one without version."""
        if refusal := unsupported_package(request):
            raise Refused(refusal)
        shelf, named = self._shelf(caller), request.get("ModelPackageGroupName")
        group = shelf.group(named) if named else None
        specifications = self._recorded(caller, sourced(shelf, request))
        with self._platform.resources.together():
            if group is None:
                arn = self._add_unversioned(shelf, request, specifications)
            else:
                arn = self._add_version(shelf, group, request, specifications)
        return {"ModelPackageArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the package of a name or ARN."""
        found = self._shelf(caller).package(request["ModelPackageName"])
        only = request.get("IncludedData") == "MetadataOnly"
        return package_document.described_package(found.document, metadata_only=only)

    def describe_several(self, caller: Caller, request: Request) -> Answer:
        """Answer a summary of each package, or why there is none."""
        found: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for arn in request["ModelPackageArnList"]:
            try:
                document = self._shelf(caller).package(arn).document
                found[arn] = package_document.batch_summary(document)
            except Refused as refused:
                error = refused.error
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message or ""}
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries: of a group's versions, or of one type of packages.

        That an approval status is looked for in a page that was cut before: AWS's own samples ask
        for the next page where one is empty. That versions are in the order of their numbers when
        they are sorted by name is unverified.
        """
        resources = self._platform.resources
        if named := request.get("ModelPackageGroupName"):
            group = self._shelf(caller).group(named)
            by_time = {**request, "SortBy": "CreationTime"}
            return _LISTING.page(resources, caller, by_time, among=f"{group.key.name}/*")
        match request.get("ModelPackageType", "Unversioned"):
            case "Versioned":
                return _LISTING.page(resources, caller, request, among=_VERSIONED)
            case "Both":
                return _LISTING.page(resources, caller, request)
            case _:
                return _LISTING.page(resources, caller, request, but=_VERSIONED)

    def update(self, caller: Caller, request: Request) -> Answer:
        """Change a version's approval, its metadata and its specifications."""
        if refusal := unsupported_package(request):
            raise Refused(refusal)
        arn = request["ModelPackageArn"]
        found = self._shelf(caller).package(arn)
        if group_of(found.key.name) is None:
            raise Refused(words.package_not_versioned(arn))
        changes = {**request, **self._recorded(caller, request)}
        at = epoch_s(time.time())

        def changed(package: Resource) -> Resource:
            document = package_document.updated(package.document, changes, at)
            _refuse_too_much(arn, document)
            fields = package_document.changed_fields(package.document, document)
            self._tell(caller, document, fields)
            return replace(package, document=document, modified=at)

        if self._platform.resources.change(found.key, changed) is None:
            raise Refused(words.package_not_found(arn))
        return {"ModelPackageArn": found.document["ModelPackageArn"]}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete a package; endpoints and models of it stay."""
        with self._platform.resources.together():
            found = self._shelf(caller).package(request["ModelPackageName"])
            self._platform.tags.remove_all(found.document["ModelPackageArn"])
            self._platform.resources.delete(found.key)
            self._tell(caller, {**found.document, "ModelPackageStatus": "Deleting"}, ())
        return {}

    def _add_unversioned(self, shelf: Shelf, request: Request, specifications: Request) -> str:
        name = request["ModelPackageName"]
        key, arn = shelf.key(PACKAGE, name), shelf.arn(PACKAGE, name)
        if (before := self._platform.resources.alike(key)) is not None:
            token = request.get("ClientToken")
            if token and before.request.get("ClientToken") == token:
                return arn
            raise Refused(words.package_exists(arn))
        self._add(shelf, name, request, specifications, version=None)
        self._platform.tags.add(arn, request.get("Tags", ()))
        return arn

    def _add_version(
        self, shelf: Shelf, known: Resource, request: Request, specifications: Request
    ) -> str:
        """Store the next version of a group, unless its client token made one already."""
        token, resources = request.get("ClientToken"), self._platform.resources
        group = shelf.group(known.key.name)  # as it is now
        name = group.document["ModelPackageGroupName"]
        made = group_document.token_version(group.document, token)
        if made is not None and resources.get(shelf.key(PACKAGE, versioned_name(name, made))):
            return shelf.arn(PACKAGE, versioned_name(name, made))
        document, version = group_document.with_version(group.document, token)
        resources.change(group.key, lambda found: replace(found, document=document))
        of_group = {**request, "ModelPackageGroupName": name}
        stored = versioned_name(name, version)
        return self._add(shelf, stored, of_group, specifications, version=version)

    def _add(
        self,
        shelf: Shelf,
        name: str,
        request: Request,
        specifications: Request,
        *,
        version: int | None,
    ) -> str:
        arn, created = shelf.arn(PACKAGE, name), epoch_s(time.time())
        document = package_document.new_package(
            request, specifications, arn, created, version=version
        )
        self._platform.resources.add(
            Resource(
                key=shelf.key(PACKAGE, name),
                created=created,
                modified=created,
                status=document["ModelPackageStatus"],
                document=document,
                request=request,
            )
        )
        record_package(self._platform, shelf.caller, document)
        self._tell(shelf.caller, document, ())
        return arn

    def _recorded(self, caller: Caller, request: Request) -> dict[str, Any]:
        """Return the specifications of a request as they are recorded."""
        record = Specifications(platform=self._platform, region=caller.region).recorded
        found: dict[str, Any] = {}
        if _SPECIFICATION in request:
            found[_SPECIFICATION] = record(request[_SPECIFICATION])
        for member in (_ADDITIONAL, _TO_ADD):
            if request.get(member):
                found[member] = [record(each) for each in request[member]]
        return found

    def _tell(self, caller: Caller, document: Request, fields: Any) -> None:
        detail = event_detail(document, fields)
        self._events.tell(caller, STATE_CHANGE, [document["ModelPackageArn"]], detail)

    def _shelf(self, caller: Caller) -> Shelf:
        return Shelf(resources=self._platform.resources, caller=caller)


def _refuse_too_much(arn: str, document: Request) -> None:
    """Refuse an update that leaves more than a package may have."""
    specifications = document.get(_ADDITIONAL, ())
    if len(specifications) > _MOST_SPECIFICATIONS:
        raise Refused(words.too_many_specifications(arn))
    if twice := additional(list(specifications)):
        raise Refused(words.same_specification_names(twice))
    if len(document.get("CustomerMetadataProperties", ())) > _MOST_PROPERTIES:
        raise Refused(words.too_many_properties(arn))
