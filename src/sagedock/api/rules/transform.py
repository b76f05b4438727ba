"""CreateTransformJob."""

import re

from sagedock.api.rules.rule import Finding, Request, Rule, part
from sagedock.api.rules.sources import API, GITHUB, GUIDE
from sagedock.contract.limits import BATCH_PAYLOAD_MB

__all__ = ["CREATE_TRANSFORM"]

_LARGEST_PAYLOAD_MB = int(BATCH_PAYLOAD_MB)
_MOST_INSTANCES = 100
_DATA_TYPES = ("text/csv", "application/json", "application/jsonlines")
#: What a path may hold beside letters and digits, in the order in which the service tells it. For
#: CSV, of which only indexes can be taken, the list is unverified.
_OPERATORS = ("$", "[", "]", "*", ".", " ", ",", ":", "-", "'")
_CSV_OPERATORS = ("$", "[", "]", "*", " ", ",", ":", "-")
_DIGITS, _WORDS = r"0-9", r"0-9A-Za-z"


def _payload_too_large(request: Request) -> Finding:
    asked = request.get("MaxPayloadInMB") or 0
    return {"asked": str(asked)} if asked > _LARGEST_PAYLOAD_MB else None


def _payloads_too_large(request: Request) -> Finding:
    concurrent = request.get("MaxConcurrentTransforms") or 0
    payload = request.get("MaxPayloadInMB") or 0
    if concurrent * payload <= _LARGEST_PAYLOAD_MB:
        return None
    return {"concurrent": str(concurrent), "payload": str(payload)}


def _too_many_instances(request: Request) -> Finding:
    asked = part(request, "TransformResources").get("InstanceCount", 0)
    return {"asked": str(asked)} if asked > _MOST_INSTANCES else None


def _data_type(request: Request) -> Finding:
    source = part(part(part(request, "TransformInput"), "DataSource"), "S3DataSource")
    asked = source.get("S3DataType")
    return {"asked": str(asked)} if asked not in (None, "S3Prefix", "ManifestFile") else None


def _processing(request: Request) -> Request:
    return part(request, "DataProcessing")


def _processes(request: Request) -> bool:
    asked = _processing(request)
    filters = {asked.get("InputFilter") or "$", asked.get("OutputFilter") or "$"}
    return asked.get("JoinSource") == "Input" or filters != {"$"}


def _type_of(request: Request, structure: str, member: str) -> str:
    text = part(request, structure).get(member) or ""
    return str(text).partition(";")[0].strip().lower()


def _content_type(request: Request) -> str:
    return _type_of(request, "TransformInput", "ContentType")


def _accept(request: Request) -> str:
    return _type_of(request, "TransformOutput", "Accept")


def _processing_of_other_types(request: Request) -> Finding:
    given = _content_type(request)
    if not _processes(request) or given in _DATA_TYPES:
        return None
    return {"given": given}


def _processing_to_other_types(request: Request) -> Finding:
    given = _accept(request)
    asked = _processing(request)
    reads = asked.get("JoinSource") == "Input" or (asked.get("OutputFilter") or "$") != "$"
    return {"given": given} if reads and given and given not in _DATA_TYPES else None


def _processing_of_binary_records(request: Request) -> Finding:
    split = part(request, "TransformInput").get("SplitType")
    return (
        {"split": str(split)} if _processes(request) and split in ("RecordIO", "TFRecord") else None
    )


def _bad_input_filter(request: Request) -> Finding:
    return _bad_path(_processing(request).get("InputFilter"), _content_type(request))


def _bad_output_filter(request: Request) -> Finding:
    kind = _accept(request) or _content_type(request)
    if _processing(request).get("JoinSource") == "Input":
        kind = _content_type(request)
    return _bad_path(_processing(request).get("OutputFilter"), kind)


def _bad_path(path: str | None, kind: str) -> Finding:
    """Return the finding of the first character that a path of that data may not hold."""
    is_csv = kind == "text/csv"
    operators = _CSV_OPERATORS if is_csv else _OPERATORS
    allowed = (_DIGITS if is_csv else _WORDS) + re.escape("".join(operators))
    unexpected = re.search(rf"[^{allowed}]", path or "")
    if unexpected is None:
        return None
    listed = ", ".join(f"'{each}'" for each in operators)
    return {
        "path": path or "",
        "unexpected": unexpected[0],
        "kind": kind,
        "operators": f"[{listed}]",
    }


def _input_without_root(request: Request) -> Finding:
    return _without_root(_processing(request).get("InputFilter"))


def _output_without_root(request: Request) -> Finding:
    return _without_root(_processing(request).get("OutputFilter"))


def _without_root(path: str | None) -> Finding:
    """Return the finding of a path that begins otherwise than all do. What AWS says of it, and
    whether it does at once, is unverified.
    """
    return {"path": path} if path and not path.strip().startswith("$") else None


_BAD_PATH = (
    'Invalid {member}: "{{path}}". Unexpected "{{unexpected}}" in JsonPath. Supported operators '
    'for "{{kind}}" are {{operators}}'
)

CREATE_TRANSFORM: tuple[Rule, ...] = (
    Rule(
        fields=("DataProcessing.InputFilter", "TransformInput.ContentType"),
        finding=_bad_input_filter,
        message=_BAD_PATH.format(member="InputFilter"),
        source=GITHUB + "boto/boto3/issues/3136",
        verified=True,
    ),
    Rule(
        fields=("DataProcessing.OutputFilter", "TransformOutput.Accept"),
        finding=_bad_output_filter,
        message=_BAD_PATH.format(member="OutputFilter"),
        source=GITHUB + "boto/boto3/issues/3136",
        verified=True,
    ),
    *(
        Rule(
            fields=(f"DataProcessing.{member}",),
            finding=finding,
            message=f'Invalid {member}: "{{path}}". A JsonPath must begin with $',
            source=GUIDE + "batch-transform-data-processing.html",
            verified=False,
        )
        for member, finding in (
            ("InputFilter", _input_without_root),
            ("OutputFilter", _output_without_root),
        )
    ),
    Rule(
        fields=("DataProcessing", "TransformInput.ContentType"),
        finding=_processing_of_other_types,
        message=(
            "DataProcessing needs TransformInput.ContentType to be one of text/csv, "
            'application/json, application/jsonlines, and it is "{given}"'
        ),
        source=GUIDE + "batch-transform-data-processing.html",
        verified=False,
    ),
    Rule(
        fields=("DataProcessing", "TransformOutput.Accept"),
        finding=_processing_to_other_types,
        message=(
            "DataProcessing needs TransformOutput.Accept to be one of text/csv, "
            'application/json, application/jsonlines, and it is "{given}"'
        ),
        source=GUIDE + "batch-transform-data-processing.html",
        verified=False,
    ),
    Rule(
        fields=("DataProcessing", "TransformInput.SplitType"),
        finding=_processing_of_binary_records,
        message="DataProcessing is only supported for CSV and JSON, not with SplitType {split}",
        source=GUIDE + "batch-transform-data-processing.html",
        verified=False,
    ),
    Rule(
        fields=("MaxPayloadInMB",),
        finding=_payload_too_large,
        message="MaxPayloadInMB cannot be greater than 100 MB, and it is {asked}",
        source=API + "API_CreateTransformJob.html",
        verified=False,
    ),
    Rule(
        fields=("MaxConcurrentTransforms", "MaxPayloadInMB"),
        finding=_payloads_too_large,
        message=(
            "MaxConcurrentTransforms * MaxPayloadInMB cannot be greater than 100 MB, and it is "
            "{concurrent} * {payload}"
        ),
        source=API + "API_CreateTransformJob.html",
        verified=False,
    ),
    Rule(
        fields=("TransformResources.InstanceCount",),
        finding=_too_many_instances,
        message="InstanceCount cannot be greater than 100, and it is {asked}",
        source=API + "API_TransformResources.html",
        verified=False,
    ),
    Rule(
        fields=("TransformInput.DataSource.S3DataSource.S3DataType",),
        finding=_data_type,
        message="S3DataType {asked} is not supported for transform jobs",
        source=API + "API_TransformS3DataSource.html",
        verified=False,
    ),
)
