"""The pages that the rows cite."""

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"

RUNNING = _GUIDE + "your-algorithms-training-algo-running-container.html"
OUTPUT = _GUIDE + "your-algorithms-training-algo-output.html"
DOCKERFILE = _GUIDE + "your-algorithms-training-algo-dockerfile.html"
STORAGE = _GUIDE + "model-train-storage.html"
CHECKPOINTS = _GUIDE + "model-checkpoints.html"
SPOT = _GUIDE + "model-managed-spot-training.html"
WARM_POOLS = _GUIDE + "train-warm-pools.html"
HOSTING = _GUIDE + "your-algorithms-inference-code.html"
BATCH = _GUIDE + "your-algorithms-batch-code.html"
MULTI_MODEL = _GUIDE + "mms-container-apis.html"
INVOKE_MULTI_MODEL = _GUIDE + "invoke-multi-model-endpoint.html"
MULTI_CONTAINER = _GUIDE + "multi-container-troubleshooting.html"
PIPELINES = _GUIDE + "inference-pipeline-real-time.html"
HOSTING_QUESTIONS = _GUIDE + "hosting-faqs.html"

STOP_TRAINING_JOB = _API + "API_StopTrainingJob.html"
PRODUCTION_VARIANT = _API + "API_ProductionVariant.html"
DESCRIBE_TRAINING_JOB = _API + "API_DescribeTrainingJob.html"
MODEL_CLIENT_CONFIG = _API + "API_ModelClientConfig.html"

DEEP_LEARNING_CONTAINERS = "https://github.com/aws/deep-learning-containers"
EFA = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html#efa-instance-types"

TOOLKIT = "https://github.com/aws/sagemaker-training-toolkit (5.1.4)"
INFERENCE_TOOLKIT = "https://github.com/aws/sagemaker-inference-toolkit (1.10.1)"

TORCHRUN = "https://docs.pytorch.org/docs/stable/elastic/run.html"
OPEN_MPI = "https://docs.open-mpi.org/en/v5.0.x/tuning-apps/environment-var.html"
