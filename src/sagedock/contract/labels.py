"""Labels by which an image says what it can: without them CreateModel refuses it.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-troubleshooting.html and
.../build-multi-model-build-container.html
"""

__all__ = ["ACCEPTS_PORT", "SAYS_YES", "SERVES_MANY"]

#: It listens on SAGEMAKER_BIND_TO_PORT: needed beside other containers.
ACCEPTS_PORT = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
#: It loads and unloads models as it is told: needed for the mode MultiModel.
SERVES_MANY = "com.amazonaws.sagemaker.capabilities.multi-models"
#: What such a label holds.
SAYS_YES = "true"
