"""Build images of containers/images.toml: `build.py [NAME...]`, the CPU ones by default."""

import sys
from pathlib import Path

from sagedock.errors import SagedockError
from sagedock.images import build_image, find_matrix, load_images

ROOT = Path(__file__).resolve().parent.parent


def main(names: list[str]) -> int:
    """Build the named images, one after the other, and return the exit code."""
    try:
        images = load_images(find_matrix(ROOT))
        unknown = sorted(set(names) - {image.name for image in images})
        if unknown:
            known = ", ".join(image.name for image in images)
            print(f"no image is called {', '.join(unknown)}: use {known}", file=sys.stderr)
            return 2
        for image in images:
            if image.name in names or (not names and image.device == "cpu"):
                build_image(image, root=ROOT, progress=lambda line: print(line, flush=True))
                print(f"{image.name}: {image.reference} is ready", flush=True)
    except SagedockError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
