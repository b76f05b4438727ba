"""Deploy a model by a pipeline of the SageMaker SDK v2, twice: an endpoint is created, and updated.

    python pipeline_of_endpoints.py SERVING ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys

from sagemaker.model import Model
from sagemaker.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
from sagemaker.workflow.steps import CacheConfig

NAME = "sdk-v2-deployed"


def main(serving: str, role: str) -> None:
    session = PipelineSession()
    which = ParameterString(name="Which", default_value="first")
    policy = StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.THROTTLING, StepExceptionTypeEnum.SERVICE_FAULT],
        max_attempts=3,
    )
    model = Model(serving, role=role, env={"WHICH": which}, sagemaker_session=session)
    make = ModelStep(
        name="Make",
        step_args=model.create(instance_type="ml.m5.large"),
        retry_policies=[policy],
    )
    configure = EndpointConfigStep(
        name="Configure",
        step_args=session.create_endpoint_config(
            name="sdk-v2-config",
            model_name=make.properties.ModelName,
            initial_instance_count=1,
            instance_type="ml.m5.large",
        ),
        retry_policies=[policy],
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
    )
    deploy = EndpointStep(
        name="Deploy",
        step_args=session.create_endpoint(
            endpoint_name=NAME, config_name=configure.properties.EndpointConfigName
        ),
    )
    pipeline = Pipeline(
        name="sdk-v2-endpoints",
        parameters=[which],
        steps=[make, configure, deploy],
        sagemaker_session=session,
    )
    pipeline.upsert(role_arn=role)
    sagemaker = session.boto_session.client("sagemaker")
    runtime = session.boto_session.client("sagemaker-runtime")
    facts = {"said": [], "configs": [], "runs": [], "steps": []}
    for value in ("first", "second"):
        execution = pipeline.start(parameters={"Which": value})
        execution.wait(delay=1, max_attempts=200)
        found = sagemaker.describe_endpoint(EndpointName=NAME)
        answer = runtime.invoke_endpoint(EndpointName=NAME, Body=b"which", ContentType="text/plain")
        facts["said"].append(answer["Body"].read().decode())
        facts["configs"].append(found["EndpointConfigName"])
        facts["runs"].append(execution.arn.rpartition("/")[2])
        facts["steps"].append(
            {
                each["StepName"]: [each["StepStatus"], [*each["Metadata"]]]
                for each in execution.list_steps()
            }
        )
    sagemaker.delete_endpoint(EndpointName=NAME)
    pipeline.delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
