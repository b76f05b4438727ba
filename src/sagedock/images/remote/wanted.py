"""What a remote build is to be: names, places and limits. Nothing is asked of AWS here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sagedock.errors import InvalidRequest
from sagedock.images.image import Image
from sagedock.images.logins import registry_of
from sagedock.images.names import OURS, TAG

__all__ = ["OUR_TAGS", "Cache", "Wanted", "is_registry", "project_name", "wanted_problems"]

Cache = Literal["local", "none", "s3"]

#: The tag by which what was made here is known again, as IAM and S3 have it.
OUR_TAGS = tuple({"Key": key, "Value": value} for key, value in OURS.items())
#: A role's name has 64 characters at most, and it is PROJECT-REGION.
#: Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,39}")
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: What comes after the repository in the name of an image.
_REFERENCE_END = re.compile(r"[:@].*")
#: CodeBuild's machines with Docker. Source:
#: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html
_COMPUTE = tuple(
    f"BUILD_GENERAL1_{size}" for size in ("SMALL", "MEDIUM", "LARGE", "XLARGE", "2XLARGE")
)
#: Minutes. Source: CreateProject, timeoutInMinutes, in the service's model.
_TIMEOUT = range(5, 2161)
#: Source: PutRetentionPolicy's retentionInDays in the service's model.
_LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A remote build of ``images``. ``matrix`` are all images of the project, for other builds of
    it run under the same role. ``environment`` is the image that it runs in; ``registries`` are
    hosts of ECR with base images. ``source_days`` and ``log_days`` are how long AWS keeps sources
    and logs. ``tag`` takes the place of the images' own; ``revision`` is what git says of the
    sources.
    """

    account: str
    region: str
    partition: str
    project: str
    images: tuple[Image, ...]
    compute: str
    environment: str
    timeout_min: int
    cache: Cache
    source_days: int
    log_days: int
    matrix: tuple[Image, ...] = ()
    bucket: str = ""
    registries: tuple[str, ...] = ()
    tag: str | None = None
    revision: str | None = None

    @property
    def bucket_name(self) -> str:
        """The bucket for sources, records and the cache; one for each account and region."""
        return self.bucket or f"sagedock-build-{self.account}-{self.region}"

    @property
    def role_name(self) -> str:
        """The role that builds have: IAM has no regions, so its name has one."""
        return f"{self.project}-{self.region}"

    @property
    def role_arn(self) -> str:
        """The ARN of that role."""
        return f"arn:{self.partition}:iam::{self.account}:role/{self.role_name}"

    @property
    def log_group(self) -> str:
        """Where CodeBuild writes a project's logs unless told otherwise."""
        return f"/aws/codebuild/{self.project}"

    @property
    def sources(self) -> str:
        """The prefix of the keys of sources."""
        return f"sources/{self.project}/"

    @property
    def records(self) -> str:
        """The prefix of the keys of records; after it come the id of a build, and its files."""
        return f"records/{self.project}/"

    def placeholders(self) -> Mapping[str, str | Sequence[str]]:
        """Return what the names in the documents of IAM stand for."""
        bucket = f"arn:{self.partition}:s3:::{self.bucket_name}"
        cache = [f"{bucket}/cache/{self.project}/*"] if self.cache == "s3" else []
        return {
            "account": self.account,
            "region": self.region,
            "partition": self.partition,
            "project": self.project,
            "bucket_arn": bucket,
            "cache_arns": cache,
            "role_arn": self.role_arn,
            "project_arn": self._arn("codebuild", f"project/{self.project}"),
            "log_group_arn": self._arn("logs", f"log-group:{self.log_group}"),
            "repository_arns": sorted(
                {self._arn("ecr", f"repository/{image.repository}") for image in self._all()}
            ),
            "base_repository_arns": sorted(set(self._base_repositories())),
        }

    def variables(self) -> Mapping[str, str]:
        """Return what the build's make is told; see buildspec.yml. Sources that come as a zip are
        no checkout of git's, which `make check` needs.
        """
        tag = f" --tag {self.tag}" if self.tag else ""
        told = {
            "CHECK": "setup",
            "IMAGES": " ".join(image.name for image in self.images),
            "PUSH": f"--target aws --region {self.region}{tag}",
        }
        more = {
            "LOGIN_REGISTRIES": " ".join(self.registries),
            "SAGEDOCK_REVISION": self.revision or "",
        }
        return told | {name: value for name, value in more.items() if value}

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    def _all(self) -> tuple[Image, ...]:
        return (*self.matrix, *self.images)

    def _base_repositories(self) -> Iterator[str]:
        """Yield the repositories of ECR that images start from, and all those of a registry which
        no image names: a Dockerfile does, then.
        """
        named = set()
        for image in self._all():
            host, _, rest = image.base.partition("/")
            if is_registry(host):
                named.add(registry_of(host))
                yield self._repository(host, _REFERENCE_END.sub("", rest))
        for host in self.registries:
            if registry_of(host) not in named:
                yield self._repository(host, "*")

    def _repository(self, host: str, name: str) -> str:
        account, region = registry_of(host)
        return f"arn:{self.partition}:ecr:{region}:{account}:repository/{name}"


def is_registry(host: str) -> bool:
    """Say whether a host is a registry of ECR's."""
    try:
        registry_of(host)
    except InvalidRequest:
        return False
    return True


def project_name(folder: str) -> str:
    """Return the name of the CodeBuild project for a folder of that name."""
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-")
    return f"sagedock-build-{words or 'project'}"[:40].rstrip("-")


def wanted_problems(wanted: Wanted) -> tuple[str, ...]:
    """Return every problem of a build that AWS would refuse, each naming its option."""
    found = []
    if not _PROJECT.fullmatch(wanted.project):
        found.append(f"--project: {wanted.project!r} is not 2 to 40 letters, digits, - and _")
    if not _BUCKET.fullmatch(wanted.bucket_name):
        found.append(f"--bucket: {wanted.bucket_name!r} is no name that S3 takes: choose another")
    if wanted.compute not in _COMPUTE:
        found.append(f"--compute-type: {wanted.compute!r} is none of {', '.join(_COMPUTE)}")
    if wanted.timeout_min not in _TIMEOUT:
        found.append("--timeout: is in minutes, from 5 to 2160")
    if wanted.cache not in get_args(Cache):
        found.append(f"--cache: {wanted.cache!r} is none of {', '.join(get_args(Cache))}")
    if wanted.log_days not in _LOG_DAYS:
        found.append(f"--log-days: CloudWatch takes {', '.join(map(str, _LOG_DAYS))}")
    if wanted.source_days < 1:
        found.append("--source-days: is at least 1")
    if wanted.tag is not None and not re.fullmatch(TAG, wanted.tag):
        found.append(f"--tag: {wanted.tag!r} is no tag: letters, digits, _, . and -, 128 at most")
    for host in wanted.registries:
        try:
            registry_of(host)
        except InvalidRequest as error:
            found += error.problems
    return tuple(found)
