"""Lay Multi Model Server's native library beside its jar, where Java looks before it unpacks it."""

import platform
import sysconfig
import zipfile
from pathlib import Path

LIBRARY = f"libnetty_transport_native_epoll_{platform.machine()}.so"

frontend = Path(sysconfig.get_path("purelib"), "mms", "frontend")
with zipfile.ZipFile(frontend / "model-server.jar") as jar:
    library = jar.read(f"META-INF/native/{LIBRARY}")
(frontend / LIBRARY).write_bytes(library)
