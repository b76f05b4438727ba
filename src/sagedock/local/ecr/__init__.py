"""The local ECR: its API, a registry that docker clients push to, and images by their names there.

``names``      an image's name in ECR, and its parts
``images``     what such a name means here: the engine's image, or one that was pushed
``pushed``     which images were pushed, in the store
``manifests``  what a manifest says; ``referrers`` what refers to one
``rules``      which tags may move
``tokens``     the passwords of GetAuthorizationToken
``process``    Debian's docker-registry, which keeps the layers
``carrier``    one HTTP request to it
``data_plane`` what docker clients speak to
``shelf``      what the operations have in common
``repository_operations``, ``image_operations``, ``scan_operations``  the API
``service``    all of it, put together
"""

from sagedock.local.ecr.data_plane import DATA_PATH
from sagedock.local.ecr.images import Images, find_image
from sagedock.local.ecr.names import EcrUri
from sagedock.local.ecr.process import find_program
from sagedock.local.ecr.service import ECR, OF_THE_WHOLE_REGISTRY, Ecr

__all__ = [
    "DATA_PATH",
    "ECR",
    "OF_THE_WHOLE_REGISTRY",
    "Ecr",
    "EcrUri",
    "Images",
    "find_image",
    "find_program",
]
