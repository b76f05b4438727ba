"""Run a pipeline of the SageMaker SDK v2 with a step of every kind of job.

    python pipeline_of_all.py IMAGE SERVING ROLE

Process, tune, train, evaluate, look at the evaluation, register, make a model, transform with it.
Prints what came of it as one line of JSON, last.
"""

import json
import sys
from pathlib import Path

from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.lineage.visualizer import LineageTableVisualizer
from sagemaker.model import Model
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.transformer import Transformer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep, TransformStep, TuningStep

HERE = Path(__file__).resolve().parent.parent
FOLDER = "/opt/ml/processing"
SPLIT = """
import pathlib
rows = pathlib.Path("/opt/ml/processing/input/numbers.csv").read_text()
out = pathlib.Path("/opt/ml/processing/output/train")
(out / "numbers.csv").write_text(rows)
"""
EVALUATE = """
import json, pathlib, tarfile
archive = next(pathlib.Path("/opt/ml/processing/model").glob("*.tar.gz"))
with tarfile.open(archive) as packed:
    total = json.load(packed.extractfile("model.json"))["total"]
out = pathlib.Path("/opt/ml/processing/output/report")
(out / "report.json").write_text(json.dumps({"metrics": {"total": {"value": total}}}))
"""


def main(image: str, serving: str, role: str) -> None:
    session = PipelineSession()
    bucket = session.default_bucket()
    data = session.upload_string_as_file_body("1,2\n", bucket, "all/in/numbers.csv")
    Path("split.py").write_text(SPLIT)
    Path("evaluate.py").write_text(EVALUATE)
    machines = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large"}
    processor = ScriptProcessor(
        image_uri=image, command=["python3"], sagemaker_session=session, **machines
    )
    process = ProcessingStep(
        name="Process",
        step_args=processor.run(
            code="split.py",
            inputs=[ProcessingInput(source=data, destination=f"{FOLDER}/input")],
            outputs=[ProcessingOutput(source=f"{FOLDER}/output/train", output_name="train")],
        ),
    )
    outputs = process.properties.ProcessingOutputConfig.Outputs
    inputs = {"train": TrainingInput(outputs["train"].S3Output.S3Uri)}

    def estimator(**hyperparameters: object) -> Estimator:
        return Estimator(
            image,
            entry_point="train.py",
            source_dir=str(HERE / "hello_script"),
            hyperparameters=hyperparameters,
            metric_definitions=[{"Name": "total", "Regex": r"total=([0-9.]+)"}],
            sagemaker_session=session,
            **machines,
        )

    tuner = HyperparameterTuner(
        estimator(),
        "total",
        {"label": ContinuousParameter(0.0, 1.0)},
        metric_definitions=[{"Name": "total", "Regex": r"total=([0-9.]+)"}],
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tune = TuningStep(name="Tune", step_args=tuner.fit(inputs))
    train = TrainingStep(name="Train", step_args=estimator(scale=2).fit(inputs))
    train.add_depends_on([tune])
    report = PropertyFile(name="Report", output_name="report", path="report.json")
    evaluate = ProcessingStep(
        name="Evaluate",
        step_args=processor.run(
            code="evaluate.py",
            inputs=[
                ProcessingInput(
                    source=train.properties.ModelArtifacts.S3ModelArtifacts,
                    destination=f"{FOLDER}/model",
                )
            ],
            outputs=[ProcessingOutput(source=f"{FOLDER}/output/report", output_name="report")],
        ),
        property_files=[report],
    )
    model = Model(
        serving,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        role=role,
        sagemaker_session=session,
    )
    register = ModelStep(
        name="Register",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_package_group_name="all-of-v2",
        ),
    )
    make = ModelStep(name="Make", step_args=model.create(instance_type="ml.m5.large"))
    transformer = Transformer(
        model_name=make.properties.ModelName,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/all/out",
        sagemaker_session=session,
    )
    rows = session.upload_string_as_file_body("1,2\n3,4\n", bucket, "all/rows/rows.csv")
    transform = TransformStep(
        name="Transform", step_args=transformer.transform(rows, content_type="text/csv")
    )
    check = ConditionStep(
        name="Check",
        conditions=[
            ConditionGreaterThanOrEqualTo(
                left=JsonGet(
                    step_name=evaluate.name,
                    property_file=report,
                    json_path="metrics.total.value",
                ),
                right=6.0,
            )
        ],
        if_steps=[register, make, transform],
        else_steps=[FailStep("Stop", error_message="too little")],
    )
    pipeline = Pipeline(
        name="all-of-v2",
        steps=[process, tune, train, evaluate, check],
        sagemaker_session=session,
    )
    pipeline.upsert(role_arn=role)
    execution = pipeline.start()
    execution.wait(delay=1, max_attempts=250)
    packages = session.sagemaker_client.list_model_packages(ModelPackageGroupName="all-of-v2")
    lineage = LineageTableVisualizer(session)
    print()
    facts = {
        "lineage": {
            each["StepName"]: sorted(
                lineage.show(pipeline_execution_step=each)
                .drop(columns="Name/Source")
                .values.tolist()
            )
            for each in execution.list_steps()
            if each["StepName"] in ("Train", "Register-RegisterModel")
        },
        "steps": {
            each["StepName"]: each.get("FailureReason", each["StepStatus"])
            for each in execution.list_steps()
        },
        "versions": [each["ModelPackageVersion"] for each in packages["ModelPackageSummaryList"]],
        "stored": session.read_s3_file(bucket, "all/out/rows.csv.out"),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
