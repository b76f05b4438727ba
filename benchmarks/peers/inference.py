"""The handler of sagedock's server and of AWS's toolkit."""

import models


def model_fn(model_dir):
    return models.load()


def input_fn(data, content_type):
    return models.read(data)


def predict_fn(data, model):
    return models.predict(data, model)


def output_fn(prediction, accept):
    return models.write(prediction)


if models.NAME == "conv":  # AWS's toolkit does not know it

    def batch_predict_fn(inputs, model):
        return models.predict_all(inputs, model)
