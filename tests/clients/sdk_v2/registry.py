"""Register, approve and deploy a model with the SageMaker SDK v2 as its documentation shows it.

    python registry.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.model import Model, ModelPackage
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer


def main(image: str, role: str) -> None:
    session = sagemaker.Session()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(__file__, "code/inference.py")
        uri = session.upload_data(str(archive), key_prefix="sdk-v2/registered")

    model = Model(
        image_uri=image,
        model_data=uri,
        role=role,
        env={"WHICH": "registered"},
        sagemaker_session=session,
    )
    report = MetricsSource(content_type="application/json", s3_uri=f"{uri}.json")
    package = model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="SdkV2",
        approval_status="PendingManualApproval",
        model_metrics=ModelMetrics(model_statistics=report),
        customer_metadata_properties={"team": "a"},
        description="by the SDK v2",
    )
    arn = package.model_package_arn
    package.update_approval_status(approval_status="Approved", approval_description="good")
    described = session.sagemaker_client.describe_model_package(ModelPackageName=arn)

    deployed = ModelPackage(
        role=role, model_package_arn=arn, sagemaker_session=session, predictor_cls=Predictor
    )
    predictor = deployed.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        endpoint_name="sdk-v2-registered",
        serializer=CSVSerializer(),
    )
    facts = {
        "arn": arn,
        "approval": described["ModelApprovalStatus"],
        "description": described["ApprovalDescription"],
        "team": described["CustomerMetadataProperties"]["team"],
        "metrics": described["ModelMetrics"]["ModelQuality"]["Statistics"]["ContentType"],
        "which": predictor.predict("which").decode(),
    }
    predictor.delete_model()
    predictor.delete_endpoint()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
