"""The images: which there are, how each is built, and what the engine has of them.

``image``    one image, as data
``matrix``   containers/images.toml, read; ``schema`` says what it may hold; ``arguments`` which
             arguments a Dockerfile takes, ``starts`` what its stages start from
``choice``   which of them are built, in what order; ``named`` one by what people call it; ``names``
             what names may be
``builder``  the docker client that can build here
``plan``     a build as a list of arguments; ``labels``, ``secrets`` what goes into it
``wheels``   an image's Python packages, gathered on this machine
``build``    the build, carried out; ``running`` a program of it, ``steps`` what is told of it,
             ``failure`` what went wrong, ``hints`` what of it this project brings about
``writing``  files of a build; ``media_types`` what registries call manifests
``size_report``  an image by layers; ``packed_layers`` what they are compressed
``start_up`` what size costs; ``git`` what git says of a folder
``listing``  what the engine has
``preflight``  an image, judged before it is pushed
``sbom``     what an image holds: packages, licences, known vulnerabilities
``push``     an image to ECR; ``push_plan`` what goes where, and what would end it
``ecr``      ECR of one region, as a push asks it
``push_words``, ``layer_lines``  failures and progress, in words
``logins``   logins to the registries of base images, for one build
``push_record``  what a push leaves in the build folder
``scan_gate``  what ECR's scan finds; ``allowed`` what of it is let pass
"""

from sagedock.images.build import BuiltImage, build_image
from sagedock.images.image import Device, Image, Kind
from sagedock.images.listing import ListedImage, list_images
from sagedock.images.matrix import find_matrix, load_images, own_images

__all__ = [
    "BuiltImage",
    "Device",
    "Image",
    "Kind",
    "ListedImage",
    "build_image",
    "find_matrix",
    "list_images",
    "load_images",
    "own_images",
]
