"""The pages that the rows cite."""

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"

RUNNING = _GUIDE + "your-algorithms-training-algo-running-container.html"
OUTPUT = _GUIDE + "your-algorithms-training-algo-output.html"
EXIT = _GUIDE + "your-algorithms-training-signal-success-failure.html"
DOCKERFILE = _GUIDE + "your-algorithms-training-algo-dockerfile.html"
STORAGE = _GUIDE + "model-train-storage.html"
CHECKPOINTS = _GUIDE + "model-checkpoints.html"
INFERENCE = _GUIDE + "your-algorithms-inference-code.html"
PROCESSING = _GUIDE + "build-your-own-processing-container.html"
HETEROGENEOUS = _GUIDE + "train-heterogeneous-cluster.html"
METRICS = _GUIDE + "training-metrics.html"
LOGS = _GUIDE + "logging-cloudwatch.html"

CREATE_TRAINING_JOB = _API + "API_CreateTrainingJob.html"
STOP_TRAINING_JOB = _API + "API_StopTrainingJob.html"
DESCRIBE_TRAINING_JOB = _API + "API_DescribeTrainingJob.html"

TOOLKIT = "https://github.com/aws/sagemaker-training-toolkit (5.1.4)"
