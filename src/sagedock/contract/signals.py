"""How a container is started and stopped, and what its exit code means.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-dockerfile.html
and .../your-algorithms-training-signal-success-failure.html
"""

__all__ = [
    "EXIT_FAILURE",
    "EXIT_KILLED",
    "EXIT_SIGNALLED",
    "EXIT_SUCCESS",
    "SERVE_ARGUMENT",
    "TRAIN_ARGUMENT",
]

#: What the platform appends to ``docker run IMAGE`` for a training job that sets no entrypoint.
TRAIN_ARGUMENT = "train"
#: What the platform appends to ``docker run IMAGE`` for a container of an endpoint (source:
#: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html).
SERVE_ARGUMENT = "serve"
#: Completed; every other code is Failed.
EXIT_SUCCESS = 0
#: What a launcher ends with when the job fails before the user's script has run.
EXIT_FAILURE = 1
#: A process killed by signal N ends its container with this much plus N (POSIX shells' rule).
EXIT_SIGNALLED = 128
#: 128 + SIGKILL: the kernel's out-of-memory killer, or the end of the grace after SIGTERM.
EXIT_KILLED = 137
