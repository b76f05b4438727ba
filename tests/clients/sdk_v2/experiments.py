"""Track a run with the SageMaker SDK v2 as its documentation shows it, and a job's.

    python experiments.py

Prints what came of it as one line of JSON, last.
"""

import json

import boto3
import sagemaker
from sagemaker.experiments.run import Run, list_runs, load_run


def main() -> None:
    session = sagemaker.Session()
    with Run(experiment_name="exp-v2", run_name="first", sagemaker_session=session) as run:
        run.log_parameters({"lr": 0.1, "kind": "a"})
        for step, value in enumerate((0.5, 0.25)):
            run.log_metric(name="loss", value=value, step=step)
    with load_run(experiment_name="exp-v2", run_name="first", sagemaker_session=session) as again:
        again.log_parameter("epochs", 3)
    runs = list_runs(experiment_name="exp-v2", sagemaker_session=session)
    client = boto3.client("sagemaker")
    (component,) = client.list_trial_components(ExperimentName="exp-v2")["TrialComponentSummaries"]
    found = client.describe_trial_component(TrialComponentName=component["TrialComponentName"])
    facts = {
        "runs": [each.run_name for each in runs],
        "parameters": found["Parameters"],
        "status": found["Status"]["PrimaryStatus"],
        "loss": [each["Last"] for each in found["Metrics"] if each["MetricName"] == "loss"],
        "experiments": [
            each["ExperimentName"] for each in client.list_experiments()["ExperimentSummaries"]
        ],
    }
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
