"""The user's functions, and what a model answers: values, errors, batches, streams."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.pool.frames import Frame, Kind, pack_headers, unpack_headers
from sagedock.runtime.serving.worker.context import Context
from sagedock.runtime.serving.worker.defaults import Defaults
from sagedock.runtime.serving.worker.model import Model, Streamed, load
from sagedock.runtime.serving.worker.refused import public
from sagedock.runtime.serving.worker.user_code import find_functions, import_program, misspelt

Loaded = Callable[[str], Model]


@pytest.fixture
def model(tmp_path: Path) -> Loaded:
    """Return a function that loads a model folder with such an inference.py."""

    def loaded(code: str) -> Model:
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "inference.py").write_text(textwrap.dedent(code))
        functions = find_functions(import_program(tmp_path, {}), Defaults())
        return load(functions, tmp_path, {"model_dir": str(tmp_path)}, "application/json")

    return loaded


def request(body: bytes = b"[1]", number: int = 1, **headers: str) -> Frame:
    given = {"content-type": "application/json", "accept": "*/*", **headers}
    named = [(n.replace("_", "-").encode(), v.encode()) for n, v in given.items()]
    return Frame(Kind.REQUEST, number, headers=pack_headers(named), body=body)


def answer(model: Model, frame: Frame) -> tuple[int, dict[bytes, bytes], bytes]:
    (found,) = model.answers([frame])
    assert isinstance(found, Frame)
    return found.status, dict(unpack_headers(found.headers)), bytes(found.body)


PLUS_ONE = """
def model_fn(model_dir): return 1
def predict_fn(data, model): return data + model
"""


def test_the_steps_follow_each_other(model: Loaded) -> None:
    status, headers, body = answer(model(PLUS_ONE), request(b"[1, 2]", accept="text/csv"))
    assert (status, headers[b"content-type"], body) == (200, b"text/csv", b"2\n3\n")


def test_each_function_may_take_a_context(model: Loaded) -> None:
    loaded = model("""
        order = []
        def pre_model_fn(model_dir, context): order.append("pre")
        def model_fn(model_dir, context): order.append("model"); return context.system_properties
        def model_warmup_fn(model_dir, model, context): order.append("warm")
        def input_fn(data, content_type, context): return context.custom_attributes
        def predict_fn(data, model, context): return [data, order, model["model_dir"] != ""]
        def output_fn(prediction, accept, context):
            context.set_custom_attributes("seen")
            context.set_response_status(201)
            return repr(prediction)
    """)
    status, headers, body = answer(
        loaded, request(x_amzn_sagemaker_custom_attributes="trace=7", x_amzn_sagemaker_new="x")
    )
    assert (status, body) == (201, b"['trace=7', ['pre', 'model', 'warm'], True]")
    assert headers[b"x-amzn-sagemaker-custom-attributes"] == b"seen"
    assert headers[b"content-type"] == b"application/json"


def test_transform_fn_does_all_of_it(model: Loaded) -> None:
    loaded = model("""
        def model_fn(model_dir): return "m"
        def transform_fn(model, data, content_type, accept):
            return f"{model} {data!r} {content_type} {accept}", "text/x-mine"
    """)
    status, headers, body = answer(
        loaded, request(b"\xe9", content_type="Text/CSV; charset=latin-1")
    )
    assert (status, headers[b"content-type"]) == (200, b"text/x-mine")
    assert body.decode() == "m 'é' text/csv application/json"


def test_other_bodies_are_bytes_as_in_awss_toolkit(model: Loaded) -> None:
    loaded = model("""
        def model_fn(model_dir): return None
        def transform_fn(model, data, content_type, accept): return {"is": repr(data)}
    """)
    assert answer(loaded, request(content_type="image/png"))[2] == b'{"is": "b\'[1]\'"}'
    assert json.loads(answer(loaded, request())[2]) == {"is": "'[1]'"}


# --- what does not load --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def transform_fn(a, b, c, d): 1\ndef input_fn(a, b): 1", "take input_fn out"),
        ("def predict_fn(data): 1", "predict_fn takes 1 arguments: it must take 2, or one more"),
        ("def model_fn(): 1\ndef output_fn(a): 1", "model_fn takes 0 .*\noutput_fn takes 1"),
    ],
)
def test_functions_that_cannot_be_used_are_all_named(model: Loaded, code: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        model(code)


def test_a_function_whose_name_is_nearly_a_known_one_is_named() -> None:
    module = ModuleType("inference")
    names = ("predit_fn", "ouput_fn", "output_fn", "loss_fn", "collate_fn", "_model_fn")
    for name in names:
        setattr(module, name, print)
    assert list(misspelt(module)) == ["predit_fn is called by nothing: is predict_fn meant?"]
    assert list(misspelt(None)) == []


@pytest.mark.parametrize("name", ["model_fm", "model_f", "modelfn", "model_nf", "model_fun"])
def test_so_is_one_that_does_not_even_end_as_they_do(name: str) -> None:
    module = ModuleType("inference")
    for each in (name, "model", "predict", "predict_one", "load_model", "model_file"):
        setattr(module, each, print)
    assert list(misspelt(module)) == [f"{name} is called by nothing: is model_fn meant?"]


def test_a_program_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert import_program(tmp_path, {}) is None
    with pytest.raises(InvalidRequest, match=r"holds no file 'serve\.py'"):
        import_program(tmp_path, {"SAGEMAKER_PROGRAM": "serve.py"})
    (tmp_path / "outside.py").write_text("")
    (tmp_path / "code").mkdir()
    with pytest.raises(InvalidRequest, match="lies outside"):
        import_program(tmp_path, {"SAGEMAKER_PROGRAM": "../outside.py"})


def test_the_programs_folder_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "serve.py").write_text("import beside\nmodel_fn = beside.load\n")
    (tmp_path / "own" / "beside.py").write_text("def load(model_dir): return 7\n")
    env = {"SAGEMAKER_PROGRAM": "serve.py", "SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path / "own")}
    functions = find_functions(import_program(tmp_path, env), Defaults())
    assert load(functions, tmp_path, {}, "").model == 7


def test_a_folder_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    functions = find_functions(None, Defaults())
    with pytest.raises(InvalidRequest, match=r"holds only notes\.txt, and no model: put one"):
        load(functions, tmp_path, {}, "")
    for name in ("a.pt", "b.onnx"):
        (tmp_path / name).touch()
    with pytest.raises(InvalidRequest, match=r"several models, a\.pt, b\.onnx: call one"):
        load(functions, tmp_path, {}, "")


def test_an_archive_that_was_packed_with_its_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "digits" / "code").mkdir(parents=True)
    (tmp_path / "digits" / "code" / "inference.py").touch()
    functions = find_functions(None, Defaults())
    with pytest.raises(InvalidRequest) as caught:
        load(functions, tmp_path, {}, "")
    assert str(caught.value) == (
        "the model's folder holds one folder, digits, with all the rest in it: pack what is in "
        "digits, so that model files and code/ are at the top of the archive"
    )
    assert public(str(caught.value)) == str(caught.value)  # as the platform is told of one of many


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("model.safetensors", "weights without a network: give the model a model_fn"),
        ("model.pt", "neither TorchScript nor an exported program"),
        ("model.onnx", "this image has no onnxruntime: name onnxruntime in code/requirements"),
    ],
)
def test_a_model_that_needs_more_says_so(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InvalidRequest, match=says):
        load(find_functions(None, Defaults()), tmp_path, {}, "")


# --- errors --------------------------------------------------------------------------------------


def failing(where: str, raised: str) -> str:
    functions = {
        "input_fn": "def input_fn(data, content_type): return data",
        "predict_fn": "def predict_fn(data, model): return data",
        "output_fn": "def output_fn(prediction, accept): return prediction",
    }
    functions[where] = functions[where].partition(": ")[0] + f": raise {raised}"
    head = "from sagedock.runtime.serving import InvalidInput\ndef model_fn(model_dir): return 1\n"
    own = """
class Generic(Exception):
    def __init__(self, status_code, message): self.status_code, self.message = status_code, message
class UnsupportedFormatError(Exception): pass
class OutOfMemoryError(RuntimeError): pass
"""
    return head + own + "\n".join(functions.values())


@pytest.mark.parametrize(
    ("where", "raised", "status", "says"),
    [
        (
            "input_fn",
            "ValueError('need 64 pixels')",
            400,
            "the body cannot be read: need 64 pixels",
        ),
        ("input_fn", "KeyError('pixels')", 400, "the body cannot be read: 'pixels' is missing"),
        ("input_fn", "OSError('disk')", 500, "input_fn failed; the log says why (request 1)"),
        ("predict_fn", "ValueError('x')", 500, "predict_fn failed; the log says why (request 1)"),
        ("output_fn", "ValueError('x')", 500, "output_fn failed; the log says why (request 1)"),
        ("predict_fn", "InvalidInput('too dark')", 400, "too dark"),
        ("predict_fn", "InvalidInput('who?', 403)", 403, "who?"),
        ("predict_fn", "Generic(429, 'slower')", 429, "slower"),
        ("input_fn", "UnsupportedFormatError('type x\\nis not')", 415, "type x"),
        ("predict_fn", "MemoryError()", 507, "no memory is left for this request (log: request 1)"),
        ("predict_fn", "OutOfMemoryError('CUDA')", 507, "no memory is left"),
        ("input_fn", "ValueError('in /opt/ml/model/code/x.py, line 3')", 400, "in (path), line 3"),
        ("input_fn", "ValueError('x' * 9999)", 400, "xxx..."),
    ],
)
def test_an_error_says_whose_fault_it_is_and_nothing_of_the_inside(
    model: Loaded, capfd: Any, where: str, raised: str, status: int, says: str
) -> None:
    found, headers, body = answer(model(failing(where, raised)), request())
    text = json.loads(body)["error"]
    assert (found, headers[b"content-type"]) == (status, b"application/json")
    assert says in text
    assert len(text) <= 500
    assert "Traceback" not in text
    assert "/opt/ml" not in text
    assert ("Traceback" in capfd.readouterr().err) == (status >= 500)


def test_a_body_in_another_charset_than_it_says(model: Loaded) -> None:
    loaded = model(PLUS_ONE)
    assert answer(loaded, request(b'["\xff"]'))[0] == 400
    unknown = request(content_type="application/json; charset=klingon")
    assert answer(loaded, unknown)[0] == 415


def test_an_answer_that_is_none_is_the_models_fault(model: Loaded) -> None:
    code = PLUS_ONE + "def output_fn(prediction, accept): return object()"
    assert answer(model(code), request())[0] == 500


# --- batches -------------------------------------------------------------------------------------

BATCHES = """
sizes = []
def model_fn(model_dir): return sizes
def batch_predict_fn(inputs, model):
    model.append(len(inputs))
    if any(x[0] < 0 for x in inputs): raise ValueError("negative")
    return [x * 10 for x in inputs]
"""


def batch(*bodies: bytes) -> list[Frame]:
    return [request(body, number) for number, body in enumerate(bodies, 1)]


def statuses(model: Model, *bodies: bytes) -> list[tuple[int, bytes]]:
    return [
        (a.status, bytes(a.body)) for a in model.answers(batch(*bodies)) if isinstance(a, Frame)
    ]


def test_a_batch_is_predicted_at_once(model: Loaded) -> None:
    loaded = model(BATCHES)
    assert statuses(loaded, b"[1]", b"[2]", b"[3]") == [
        (200, b"[10]"),
        (200, b"[20]"),
        (200, b"[30]"),
    ]
    assert loaded.model == [3]


def test_a_lone_request_is_a_batch_of_one(model: Loaded) -> None:
    loaded = model(BATCHES)
    assert statuses(loaded, b"[1]") == [(200, b"[10]")]
    assert loaded.model == [1]


def test_what_cannot_be_read_is_left_out_of_the_batch(model: Loaded) -> None:
    loaded = model(BATCHES)
    assert [status for status, _ in statuses(loaded, b"[1]", b"{", b"[3]")] == [200, 400, 200]
    assert loaded.model == [2]


def test_one_bad_input_does_not_fail_its_batch(model: Loaded, capfd: Any) -> None:
    found = statuses(model(BATCHES), b"[1]", b"[-1]", b"[3]")
    assert [status for status, _ in found] == [200, 500, 200]
    assert capfd.readouterr().err.count("ValueError: negative") == 1


@pytest.mark.parametrize(
    ("returned", "bodies", "says"),
    [
        ("[]", 1, "0 results for 1 input"),
        ("[1, 2, 3, 4, 5]", 1, "5 results for 1 input"),
        ("[1]", 4, "1 result for 4 inputs"),
        ("[]", 2, "0 results for 2 inputs"),
        ("7", 2, "int, no list of results, for 2 inputs"),
        ("{0: 1}", 1, "dict, no list of results, for 1 input"),
        ("'ab'", 2, "str, no list of results, for 2 inputs"),
    ],
)
def test_a_wrong_number_of_results_is_nobodys_answer(
    model: Loaded, capfd: Any, returned: str, bodies: int, says: str
) -> None:
    loaded = model(BATCHES.replace("[x * 10 for x in inputs]", returned))
    refused = b'{"error": "batch_predict_fn failed; the log says why (request 1)"}'
    assert statuses(loaded, *[b"[1]"] * bodies) == [(500, refused)] * bodies
    assert capfd.readouterr() == (f"request 1: batch_predict_fn returned {says}\n", "")


def test_a_lone_request_that_fails_names_the_function_that_it_called(
    model: Loaded, capfd: Any
) -> None:
    ((status, body),) = statuses(model(BATCHES), b"[-1]")
    assert status == 500
    assert b"batch_predict_fn failed" in body
    assert "request 1: batch_predict_fn failed" in capfd.readouterr().out


# --- streams -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["predict_fn", "output_fn"])
def test_what_yields_is_streamed(model: Loaded, where: str) -> None:
    code = "def model_fn(model_dir): return 3\n"
    code += {
        "predict_fn": "def predict_fn(data, model):\n    yield from map(str, range(model))",
        "output_fn": "def predict_fn(data, model): return model\n"
        "def output_fn(n, accept): return (str(i) for i in range(n)), 'text/event-stream'",
    }[where]
    (found,) = model(code).answers([request(accept="text/event-stream")])
    assert isinstance(found, Streamed)
    assert (found.start.kind, found.start.status) == (Kind.START, 200)
    assert found.start.headers == b"content-type\0text/event-stream"
    joined = b"".join(p if isinstance(p, bytes) else p.encode() for p in found.pieces)
    assert joined == b"012"


# --- the context ---------------------------------------------------------------------------------


def test_a_context_answers_as_multi_model_servers_does() -> None:
    context = Context(pack_headers([(b"accept", b"text/csv"), (b"x-own", b"1")]), {"gpu_id": 0})
    assert context.get_request_header(0, "X-Own") == "1"
    assert context.get_request_header(0, "absent") is None
    assert context.request_processor[0].get_request_properties()["accept"] == "text/csv"
    assert context.get_all_request_header(0) == {"accept": "text/csv", "x-own": "1"}
    context.set_response_content_type(0, "text/csv")
    context.set_response_header(0, "X-Own", "2")
    context.set_response_header(0, "Content-Length", "7")  # the server's own
    headers = dict(unpack_headers(context.answer_headers("application/json")))
    assert headers == {b"content-type": b"text/csv", b"x-own": b"2"}


@pytest.mark.parametrize(
    ("key", "value"), [("X-A", "b\r\nX-C: d"), ("X-A\r\n", "b"), ("", "b"), ("X-A", "\0")]
)
def test_a_header_cannot_smuggle_another(key: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        Context(b"", {}).set_response_header(0, key, value)


@pytest.mark.parametrize("text", ["x" * 1025, "ü", "a\nb"])
def test_custom_attributes_are_as_the_platform_takes_them(text: str) -> None:
    with pytest.raises(ValueError, match="1024 visible ASCII"):
        Context(b"", {}).set_custom_attributes(text)
