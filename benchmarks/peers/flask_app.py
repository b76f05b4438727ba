"""The form of AWS's sample container: flask, in gunicorn, behind nginx."""

import flask
import models

application = flask.Flask(__name__)
model = models.load()


@application.get("/ping")
def ping():
    return flask.Response(status=200)


@application.post("/invocations")
def invocations():
    body, content_type = models.write(models.predict(models.read(flask.request.data), model))
    return flask.Response(body, mimetype=content_type)
