"""Deploy a model with the resources of the SageMaker SDK v3.

    python deploy.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys

from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant


def main(image: str, role: str) -> None:
    Model.create(
        model_name="sdk-v3",
        primary_container=ContainerDefinition(image=image, environment={"WHICH": "v3"}),
        execution_role_arn=role,
    )
    EndpointConfig.create(
        endpoint_config_name="sdk-v3",
        production_variants=[
            ProductionVariant(
                variant_name="AllTraffic",
                model_name="sdk-v3",
                initial_instance_count=1,
                instance_type="ml.m5.large",
            )
        ],
    )
    endpoint = Endpoint.create(endpoint_name="sdk-v3", endpoint_config_name="sdk-v3")
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body=b"which", content_type="text/plain")
    facts = {
        "status": endpoint.endpoint_status,
        "which": answer.body.read().decode(),
        "variant": answer.invoked_production_variant,
    }
    endpoint.delete()
    EndpointConfig.get("sdk-v3").delete()
    Model.get("sdk-v3").delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
