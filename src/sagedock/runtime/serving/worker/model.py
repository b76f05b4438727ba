"""A loaded model, and what it answers: the three steps of one request, or of a batch."""

import json
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.refusals import refusal
from sagedock.runtime.serving.worker import content_types as types
from sagedock.runtime.serving.worker.batch_results import WrongResults, batch_results
from sagedock.runtime.serving.worker.context import Context
from sagedock.runtime.serving.worker.refused import Refused, UnsupportedType, refused
from sagedock.runtime.serving.worker.user_code import Functions

__all__ = ["Model", "Streamed", "load"]


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """An answer that comes in pieces: the frame that opens it, and the pieces."""

    start: Frame
    pieces: Iterator[Any]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model, its functions, and what they may ask about it.

    ``default_accept`` is the content type of answers to clients that take any.
    """

    functions: Functions
    model: Any
    properties: Mapping[str, Any]
    default_accept: str

    def answers(self, batch: Sequence[Frame]) -> Iterable[Frame | Streamed]:
        """Yield an answer for each request, in their order; errors are answers too."""
        if self.functions.batch_predict_fn is None or len(batch) == 1:
            return map(self._alone, batch)
        return self._together(batch)

    def _alone(self, frame: Frame) -> Frame | Streamed:
        context = Context(frame.headers, self.properties)
        try:
            return self._reply(frame.id, context, self._predict(frame, context))
        except Refused as error:
            return _refusal(frame.id, error)

    def _predict(self, frame: Frame, context: Context) -> Any:
        functions = self.functions
        if functions.transform_fn is not None:
            body, content_type = self._body(frame, context)
            accept = self._accept(context)
            with _step("transform_fn", frame.id):
                return functions.transform_fn(self.model, body, content_type, accept, context)
        data = self._input(frame, context)
        with _step(functions.predict_step, frame.id):
            prediction = functions.predict_fn(data, self.model, context)
        return self._output(frame.id, prediction, context)

    def _body(self, frame: Frame, context: Context) -> tuple[bytes | str, str]:
        """Return the body, as str where AWS's toolkit gives str, and its bare content type."""
        header = context.request_headers.get("content-type", "")
        content_type = types.media_type(header)
        with _step("input_fn", frame.id):
            if content_type in types.UTF8 or types.charset(header) != "utf-8":
                return _decoded(bytes(frame.body), types.charset(header)), content_type
            return bytes(frame.body), content_type

    def _accept(self, context: Context) -> str:
        accept = context.request_headers.get("accept", "")
        return self.default_accept if accept in ("", types.ANY) else accept

    def _input(self, frame: Frame, context: Context) -> Any:
        body, content_type = self._body(frame, context)
        with _step("input_fn", frame.id):
            return self.functions.input_fn(body, content_type, context)

    def _output(self, number: int, prediction: Any, context: Context) -> Any:
        with _step("output_fn", number):
            return self.functions.output_fn(prediction, self._accept(context), context)

    def _reply(self, number: int, context: Context, result: Any) -> Frame | Streamed:
        content_type = self._accept(context).partition(",")[0].strip()
        if isinstance(result, tuple) and len(result) == 2:
            result, content_type = result
        headers = context.answer_headers(content_type)
        if isinstance(result, Iterator):
            start = Frame(Kind.START, number, context.status, 0, headers)
            return Streamed(start=start, pieces=result)
        with _step("output_fn", number):
            body = _as_body(result)
        return Frame(Kind.ANSWER, number, context.status, 0, headers, body)

    # --- batches ---------------------------------------------------------------------------------

    def _together(self, batch: Sequence[Frame]) -> list[Frame | Streamed]:
        """Answer a batch with one call of batch_predict_fn; what cannot be read is left out."""
        answers: dict[int, Frame | Streamed] = {}
        contexts = {frame.id: Context(frame.headers, self.properties) for frame in batch}
        inputs: dict[int, Any] = {}
        for frame in batch:
            try:
                inputs[frame.id] = self._input(frame, contexts[frame.id])
            except Refused as error:
                answers[frame.id] = _refusal(frame.id, error)
        for number, prediction in self._predictions(inputs, contexts).items():
            try:
                if isinstance(prediction, Refused):
                    raise prediction
                result = self._output(number, prediction, contexts[number])
                answers[number] = self._reply(number, contexts[number], result)
            except Refused as error:
                answers[number] = _refusal(number, error)
        return [answers[frame.id] for frame in batch]

    def _predictions(
        self, inputs: Mapping[int, Any], contexts: Mapping[int, Context]
    ) -> dict[int, Any]:
        """Return each request's prediction, or the Refused in its place.

        Where a batch fails, each request is tried alone: one that is wrong must not fail others.
        Results of a wrong number are nobody's.
        """
        predict = self.functions.batch_predict_fn
        if not inputs or predict is None:
            return {}
        batched = [contexts[number] for number in inputs]
        try:
            with _step("batch_predict_fn", next(iter(inputs)), quiet=len(inputs) > 1):
                found = batch_results(predict, list(inputs.values()), self.model, batched)
            return dict(zip(inputs, found, strict=True))
        except Refused as error:
            if len(inputs) == 1 or isinstance(error.__cause__, WrongResults):
                return dict.fromkeys(inputs, error)
        alone = [self._predictions({number: data}, contexts) for number, data in inputs.items()]
        return {number: prediction for each in alone for number, prediction in each.items()}


class _step:  # noqa: N801 - reads as a function: `with _step("predict_fn", 7)`
    """Turns what a step of a request raises into what the client gets; the log has the rest."""

    __slots__ = ("name", "number", "quiet")

    def __init__(self, name: str, number: int, *, quiet: bool = False) -> None:
        self.name = name
        self.number = number
        self.quiet = quiet

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception):
            refusal_of_it = refused(error, self.name, self.number)
            if isinstance(error, WrongResults):
                print(f"request {self.number}: {error}", flush=True)
            elif refusal_of_it.status >= 500 and not self.quiet:
                print(f"request {self.number}: {self.name} failed", flush=True)
                traceback.print_exception(error)
            raise refusal_of_it from error


def _refusal(number: int, error: Refused) -> Frame:
    answer = refusal(error.status, error.message)
    return Frame(Kind.ANSWER, number, answer.status, 0, answer.headers, answer.body)


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except LookupError:
        raise UnsupportedType(f"charset {charset!r} is unknown: send utf-8") from None


def _as_body(result: Any) -> bytes | bytearray | memoryview:
    """Return what a function gave as bytes; other than text it is JSON, as in AWS's servers."""
    if isinstance(result, bytes | bytearray | memoryview):
        return result
    return result.encode() if isinstance(result, str) else json.dumps(result).encode()


def load(
    functions: Functions, model_dir: Path, properties: Mapping[str, Any], default_accept: str
) -> Model:
    """Load the model and warm it. Raises what the user's functions raise."""
    context = Context(b"", properties)
    if functions.pre_model_fn is not None:
        functions.pre_model_fn(str(model_dir), context)
    model = functions.model_fn(str(model_dir), context)
    if functions.model_warmup_fn is not None:
        functions.model_warmup_fn(str(model_dir), model, context)
    return Model(
        functions=functions, model=model, properties=properties, default_accept=default_accept
    )
