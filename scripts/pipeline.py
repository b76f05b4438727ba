"""The digits from data to an endpoint, as one pipeline: here, or on AWS.

python scripts/pipeline.py
python scripts/pipeline.py --epochs 1 --threshold 0.99    # not good enough: nothing is registered
python scripts/pipeline.py --target aws --role arn:aws:iam::<account>:role/<name> ...

Prepare -> train -> evaluate -> good enough? -> register. What was registered is approved and
deployed, and answers for the test set, unless --no-deploy.
"""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from prepare_data import DATA, write_digits
from program import draws, parser_of, report, run, session_of
from train import METRICS, SOURCE

from sagedock import (
    Estimator,
    JobFailed,
    ModelPackage,
    Pipeline,
    PipelineExecution,
    ProcessingInput,
    ProcessingOutput,
    ScriptProcessor,
    Session,
)
from sagedock.client.serializers import CSVSerializer, JSONDeserializer
from sagedock.jobs import ModelContainer, ModelVersion
from sagedock.jobs.pipeline import (
    Cache,
    Compared,
    ConditionStep,
    FailStep,
    JobStep,
    Join,
    Parameter,
    PropertyFile,
)

GROUP = "digits"
FOLDER = "/opt/ml/processing"
EPOCHS = Parameter("epochs", 20)
THRESHOLD = Parameter("threshold", 0.9)


def main() -> int:
    options = parse_options()
    session = session_of(options)
    pipeline = made(session, options)
    pipeline.upsert()
    execution = pipeline.start(epochs=options.epochs, threshold=options.threshold)
    try:
        execution.wait()
    except JobFailed:
        show_tree(execution)
        raise
    show_tree(execution)
    steps = {each["StepName"]: each for each in execution.steps()}
    package = ModelPackage(
        arn=steps["register"]["Metadata"]["RegisterModel"]["Arn"],
        session=session,
        show=session.show,
    )
    facts = {"execution": execution.id, "version": package.version}
    if options.deploy:
        facts |= deployed(package, options, test_set(session, steps["prepare"]))
    report(facts, as_json=options.json)
    return 0


def show_tree(execution: PipelineExecution) -> None:
    """Show how the steps ended, unless that is on the terminal already."""
    if not draws(execution.session):
        execution.show(execution.tree())


def made(session: Session, options: argparse.Namespace) -> Pipeline:
    """Return the pipeline; its programs and the data are uploaded."""
    prepare = prepared(session, options)
    train = trained(session, options, prepare)
    evaluate = evaluated(session, options, prepare, train)
    accuracy = evaluate.json("evaluation", "metrics.accuracy")
    container = ModelContainer(
        image_uri=options.serving_image,
        model_data=Join([evaluate.output("package"), "/model.tar.gz"]),
    )
    version = ModelVersion(
        group=GROUP,
        containers=[container],
        content_types=["text/csv"],
        response_types=["application/json"],
        metrics=quality(Join([evaluate.output("evaluation"), "/evaluation.json"])),
    )
    message = Join(["the accuracy ", accuracy, " is below ", THRESHOLD, ": nothing is registered"])
    good = ConditionStep(
        name="good-enough",
        conditions=[Compared(accuracy, "GreaterThanOrEqualTo", THRESHOLD)],
        then=[JobStep(name="register", job=version)],
        otherwise=[FailStep(name="too-low", message=message)],
    )
    return Pipeline(
        name="digits",
        role=options.role,
        steps=[prepare, train, evaluate, good],
        parameters=[EPOCHS, THRESHOLD],
        session=session,
        show=session.show,
    )


def processor(session: Session, options: argparse.Namespace, image: str) -> ScriptProcessor:
    return ScriptProcessor(
        image_uri=image,
        role=options.role,
        instance_type=options.instance_type,
        base_job_name="digits",
        session=session,
        show=session.show,
    )


def prepared(session: Session, options: argparse.Namespace) -> JobStep:
    if not (DATA / "train" / "digits.csv").exists():
        write_digits()
    job = processor(session, options, options.image).job(
        SOURCE / "preprocess.py",
        inputs=[ProcessingInput(source=str(DATA), destination=f"{FOLDER}/input/digits")],
        outputs=[output("train"), output("test"), output("report")],
        arguments=["--no-scale"],
    )
    return JobStep(name="prepare", job=job, cache=Cache(expire_after="P1D"))


def trained(session: Session, options: argparse.Namespace, prepare: JobStep) -> JobStep:
    estimator = Estimator(
        image_uri=options.image,
        role=options.role,
        instance_type=options.instance_type,
        entry_point="train.py",
        source_dir=str(SOURCE),
        hyperparameters={"epochs": EPOCHS},
        metric_definitions=METRICS,
        base_job_name="digits",
        session=session,
        show=session.show,
    )
    job = estimator.job({"train": prepare.output("train"), "test": prepare.output("test")})
    return JobStep(name="train", job=job)


def evaluated(
    session: Session, options: argparse.Namespace, prepare: JobStep, train: JobStep
) -> JobStep:
    handler = ProcessingInput(
        source=str(SOURCE / "inference.py"), destination=f"{FOLDER}/input/handler"
    )
    job = processor(session, options, options.serving_image).job(
        SOURCE / "evaluate.py",
        inputs=[
            ProcessingInput(source=train.model_data, destination=f"{FOLDER}/input/model"),
            ProcessingInput(source=prepare.output("test"), destination=f"{FOLDER}/input/test"),
            handler,
        ],
        outputs=[output("evaluation"), output("package")],
    )
    file = PropertyFile(name="evaluation", output="evaluation", path="evaluation.json")
    return JobStep(name="evaluate", job=job, property_files=[file])


def output(name: str) -> ProcessingOutput:
    return ProcessingOutput(source=f"{FOLDER}/output/{name}", output_name=name)


def quality(where: Join) -> dict[str, object]:
    """Return the metrics of a version: where its evaluation is."""
    statistics = {"ContentType": "application/json", "S3Uri": where}
    return {"ModelQuality": {"Statistics": statistics}}


def test_set(session: Session, prepare: Mapping[str, Any]) -> np.ndarray:
    """Return the rows that the step prepare kept for tests."""
    name = prepare["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    job = session.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    outputs = {
        each["OutputName"]: each["S3Output"]["S3Uri"]
        for each in job["ProcessingOutputConfig"]["Outputs"]
    }
    with tempfile.TemporaryDirectory() as folder:
        (file,) = session.download(outputs["test"], Path(folder))
        return np.loadtxt(file, delimiter=",")


def deployed(
    package: ModelPackage, options: argparse.Namespace, rows: np.ndarray
) -> dict[str, float]:
    """Approve the version, serve it, and ask it for the test set; nothing of that stays."""
    package.approve("its accuracy is above the threshold")
    predictor = package.deploy(
        1,
        options.instance_type,
        role=options.role,
        serializer=CSVSerializer(),
        deserializer=JSONDeserializer(),
    )
    try:
        answers = predictor.predict(rows[:, 1:])
    finally:
        predictor.endpoint.delete(models=True)
    return {"endpoint:accuracy": float((np.asarray(answers) == rows[:, 0]).mean())}


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__ or "", "sagedock-training")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--serving-image", help="default: the image's name with serving in it")
    parser.add_argument("--deploy", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    serving = options.image.replace("sagedock-training", "sagedock-serving")
    options.serving_image = options.serving_image or serving
    return options


if __name__ == "__main__":
    run(main)
