"""InputFilter, JoinSource and OutputFilter: what of a record is sent, and what of it comes back.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.local.transform.csv_rows import BadRow, fields, row
from sagedock.local.transform.failures import bad_data, bad_output
from sagedock.local.transform.json_path import InvalidPath, JsonPath, NotFound, compile_path

__all__ = ["DataFormat", "Processing", "processing_of"]

DataFormat = Literal["CSV", "JSON"]
Request = Mapping[str, Any]

#: The keys of a joined record. Source: API_DataProcessing.
_INPUT, _OUTPUT = "SageMakerInput", "SageMakerOutput"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no value of JSON")


#: Made once: for each of many small records it would take longer than the record.
_DECODER = json.JSONDecoder(parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, kw_only=True)
class Processing:
    """What is done to records around an invocation.

    ``sent`` and ``stored`` are the formats of input and output; ``is_document`` says that an object
    is one record, a JSON document over as many lines as it likes.
    """

    sent: DataFormat
    stored: DataFormat
    is_document: bool
    join: bool
    input_filter: JsonPath
    output_filter: JsonPath

    def selected(self, record: bytes) -> bytes:
        """Return what of a record is sent to the container. Raises ObjectFailed."""
        if self.input_filter.is_root:
            return record
        with _told(self.input_filter):
            if self.sent == "CSV":
                return row(self.input_filter.columns(_fields_of_input(record))).encode()
            return _json(self.input_filter.select(_value_of_input(record)))

    def result(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """Return what is stored for records and the container's answer to them, a line for each
        record. Raises ObjectFailed.
        """
        if not self.join and self.output_filter.is_root:
            return answer
        outputs = self._outputs(records, answer)
        with _told(self.output_filter):
            joined = self._joined_row if self.stored == "CSV" else self._joined_value
            return b"\n".join(map(joined, records, outputs))

    def _outputs(self, records: Sequence[bytes], answer: bytes) -> list[bytes]:
        """Return the outputs, one for each record."""
        if self.stored == "JSON" and len(records) == 1:
            return [answer]
        outputs = answer.splitlines()
        if len(outputs) != len(records):
            raise bad_output(
                f"The algorithm answered {len(outputs)} records to a mini-batch of {len(records)}: "
                "input and output cannot be associated"
            )
        return outputs

    def _joined_row(self, record: bytes, output: bytes) -> bytes:
        try:
            text = output.decode()
            answered = fields(text)
        except (BadRow, UnicodeDecodeError) as error:
            raise bad_output(
                f"Failed to parse output from the algorithm as CSV: {error}"
            ) from error
        if not self.join:
            return row(self.output_filter.columns(answered)).encode()
        if self.output_filter.is_root:
            return b"%s,%s" % (record, output)
        return row(self.output_filter.columns(_fields_of_input(record) + answered)).encode()

    def _joined_value(self, record: bytes, output: bytes) -> bytes:
        try:
            answered = _value(output)
        except ValueError as error:
            raise bad_output(
                f"Failed to parse output from the algorithm as JSON: {error}"
            ) from error
        if self.join:
            given = _value_of_input(record)
            members = given if isinstance(given, dict) else {_INPUT: given}
            answered = {**members, _OUTPUT: answered}
        return _json(self.output_filter.select(answered))


def processing_of(request: Request) -> Processing | None:
    """Return what a job's DataProcessing asks for, None where that is nothing.

    Raises ObjectFailed for a path that is not supported: the service finds that only when it reads
    the first record (source: aws/sagemaker-python-sdk#1112).
    """
    asked = request.get("DataProcessing") or {}
    source, target = request["TransformInput"], request["TransformOutput"]
    join = asked.get("JoinSource") == "Input"
    input_filter = _path(asked.get("InputFilter") or "$")
    output_filter = _path(asked.get("OutputFilter") or "$")
    if not join and input_filter.is_root and output_filter.is_root:
        return None
    sent = _format(source.get("ContentType"))
    accepted = target.get("Accept") or source.get("ContentType")
    lines = source.get("SplitType") == "Line" or _media_type(source) == "application/jsonlines"
    return Processing(
        sent=sent,
        stored=sent if join else _format(accepted),
        is_document=sent == "JSON" and not lines,
        join=join,
        input_filter=input_filter,
        output_filter=output_filter,
    )


def _path(text: str) -> JsonPath:
    try:
        return compile_path(text)
    except InvalidPath as error:
        raise bad_data(f"Invalid JsonPath: {text}: {error}") from error


def _media_type(source: Request) -> str:
    return str(source.get("ContentType") or "").partition(";")[0].strip().lower()


def _format(content_type: str | None) -> DataFormat:
    is_csv = _media_type({"ContentType": content_type}) == "text/csv"
    return "CSV" if is_csv else "JSON"


def _fields_of_input(record: bytes) -> list[str]:
    try:
        return fields(record.decode())
    except (BadRow, UnicodeDecodeError) as error:
        raise bad_data(f"Failed to parse input as CSV: {error}") from error


def _value_of_input(record: bytes) -> Any:
    try:
        return _value(record)
    except ValueError as error:
        raise bad_data(f"Failed to parse input as JSON: {error}") from error


def _value(text: bytes) -> Any:
    """Return the value of a JSON text; NaN and its like are none."""
    try:
        return _DECODER.decode(text.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _json(value: Any) -> bytes:
    """Return the JSON text of a value; a number beyond those of double precision has none."""
    try:
        return _ENCODER.encode(value).encode(errors="replace")
    except (ValueError, RecursionError) as error:
        raise bad_data(f"Failed to write the record as JSON: {error}") from error


@contextmanager
def _told(path: JsonPath) -> Iterator[None]:
    """Put what a path does not find into the words of the data log (unverified)."""
    try:
        yield
    except NotFound as error:
        raise bad_data(f"Invalid JsonPath: {path.text}: {error}") from error
