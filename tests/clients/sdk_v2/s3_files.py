"""What the programs beside this one do with S3: put their data there, and read a model."""

import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.s3 import S3Downloader


def uploaded(session: sagemaker.Session, prefix: str) -> str:
    """Upload a file of numbers; return its URI."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "numbers.csv"
        data.write_text("1,2,3\n")
        return session.upload_data(str(data), key_prefix=prefix)


def model_of(uri: str, session: sagemaker.Session) -> str:
    """Return the text of model.json in a model.tar.gz."""
    with tempfile.TemporaryDirectory() as folder:
        S3Downloader.download(uri, folder, sagemaker_session=session)
        with tarfile.open(Path(folder) / "model.tar.gz") as archive:
            member = archive.extractfile("model.json")
            assert member is not None
            return member.read().decode()
