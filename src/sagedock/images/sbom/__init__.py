"""What an image holds: a CycloneDX document of it, its licences, and what is known against it.

``layer``      the files that tell of packages, as one pass over the image meets them
``debian``, ``python``, ``java``  packages by what their installers leave; ``package`` one, as data
``licences``   licences by SPDX's identifiers; ``expression`` takes SPDX's expressions apart
``links``      links that lead to what was not read
``inventory``  all packages of an image, and what could not be read
``document``   the document; ``making`` makes it, or takes it from where it lies
``summary``    licences, counted; ``denied`` those that are not wanted
``osv``, ``audit``  known vulnerabilities, by a service that speaks OSV's API
"""

from sagedock.images.sbom.document import MEDIA_TYPE
from sagedock.images.sbom.making import Sbom, kept_sbom, make_sbom, place_of, refuse_place

__all__ = ["MEDIA_TYPE", "Sbom", "kept_sbom", "make_sbom", "place_of", "refuse_place"]
