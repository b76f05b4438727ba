"""inference-server (J.P. Morgan Chase): its hooks, as its documentation has them."""

import sys

import inference_server
import models
from inference_server import _plugin


@inference_server.plugin_hook()
def model_fn(model_dir):
    return models.load() or "echo"  # pluggy takes None for no answer


@inference_server.plugin_hook()
def input_fn(input_data, content_type):
    return models.read(input_data)


@inference_server.plugin_hook()
def predict_fn(data, model):
    return models.predict(data, model)


@inference_server.plugin_hook()
def output_fn(prediction, accept):
    return models.write(prediction)


_plugin.manager().register(sys.modules[__name__])
inference_server.warmup()
application = inference_server.create_app()
