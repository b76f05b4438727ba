"""LitServe, two workers; batches of up to eight for the model that gains by them."""

from typing import Annotated, Any

import litserve
import models
from fastapi import Body, Response


class Api(litserve.LitAPI):
    def setup(self, device):
        self.model = models.load()

    def decode_request(self, request: Annotated[Any, Body()]):
        return models.read(request)

    def batch(self, inputs):
        return inputs

    def predict(self, data):
        if models.NAME == "conv":
            return models.predict_all(data, self.model)
        return models.predict(data, self.model)

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        body, content_type = models.write(output)
        return Response(body, media_type=content_type)


if __name__ == "__main__":
    api = Api(api_path="/invocations", **({"max_batch_size": 8} if models.NAME == "conv" else {}))
    server = litserve.LitServer(
        api, accelerator="cpu", workers_per_device=2, healthcheck_path="/ping"
    )
    server.run(port=8080, generate_client_file=False, log_level="warning")
