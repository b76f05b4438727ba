"""Put torch's headers back from its wheel: the image that jobs run in goes without them."""

import sys
import sysconfig
import zipfile
from pathlib import Path

(wheel,) = Path(sys.argv[1]).glob("torch-*.whl")
with zipfile.ZipFile(wheel) as packed:
    headers = [name for name in packed.namelist() if name.startswith("torch/include/")]
    packed.extractall(sysconfig.get_path("purelib"), headers)
print(f"{len(headers)} headers of {wheel.name}")
