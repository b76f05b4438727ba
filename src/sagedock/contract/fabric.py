"""Instance types with an Elastic Fabric Adapter (EFA), and what programs on them must be told.

Every training type of SageMaker that EC2 lists with EFA, by the generation of its Nitro card.
Unverified: that SageMaker attaches the adapter to each of them; where it does not, nothing of ours
uses libfabric, and NCCL falls back to sockets.
"""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = ["Fabric", "fabric_of"]


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """EFA on one instance type: whether it reads by RDMA, and whether NCCL must be held back.

    ``nccl_simple``: EFA delivers out of order, so NCCL may use its simple protocol only; on P5 and
    newer the plugin aws-ofi-nccl (1.7.3) takes the faster ones, and decides for itself.
    ``fork_safe``: Neuron asks for that on hosts with Amazon Linux 2; what SageMaker's have, no page
    says, and on others it changes nothing (unverified).
    """

    instance_type: str
    rdma_read: bool
    nccl_simple: bool
    fork_safe: bool = False
    source: str = source.EFA

    def variables(self) -> dict[str, str]:
        """Return the variables of libfabric and NCCL: the training toolkit's, and one for forks.

        Workers of data loaders are forks, on instances without RDMA too. Source of that one:
        https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html
        """
        found = {"FI_PROVIDER": "efa", "FI_EFA_FORK_SAFE": "1"}
        if self.rdma_read:
            found |= {"FI_EFA_USE_DEVICE_RDMA": "1", "RDMAV_FORK_SAFE": "1"}
        if self.nccl_simple:
            found["NCCL_PROTO"] = "simple"
        if self.fork_safe:
            found["FI_EFA_FORK_SAFE"] = "1"
        return found


def _fabrics(names: str, *, rdma_read: bool, nccl_simple: bool) -> tuple[Fabric, ...]:
    return tuple(
        Fabric(instance_type=f"ml.{name}", rdma_read=rdma_read, nccl_simple=nccl_simple)
        for name in names.split()
    )


#: Nitro 3 reads by RDMA on P4 only; Nitro 4 and later on all.
FABRICS = (
    *_fabrics("c5n.9xlarge c5n.18xlarge", rdma_read=False, nccl_simple=False),
    *_fabrics(
        "g4dn.8xlarge g4dn.12xlarge g4dn.16xlarge g5.8xlarge g5.12xlarge g5.16xlarge g5.24xlarge"
        " g5.48xlarge p3dn.24xlarge",
        rdma_read=False,
        nccl_simple=True,
    ),
    *_fabrics("p4d.24xlarge p4de.24xlarge", rdma_read=True, nccl_simple=True),
    *_fabrics(
        "g6.8xlarge g6.12xlarge g6.16xlarge g6.24xlarge g6.48xlarge g6e.8xlarge g6e.12xlarge"
        " g6e.16xlarge g6e.24xlarge g6e.48xlarge g7.8xlarge g7.12xlarge g7.24xlarge g7.48xlarge"
        " g7e.8xlarge g7e.12xlarge g7e.24xlarge g7e.48xlarge",
        rdma_read=True,
        nccl_simple=True,
    ),
    *_fabrics(
        "p5.4xlarge p5.48xlarge p5e.48xlarge p5en.48xlarge p6-b200.48xlarge p6-b300.48xlarge"
        " p6e-gb200.36xlarge c6i.32xlarge c7i.48xlarge"
        " c8i.48xlarge c8i.96xlarge m6i.32xlarge m7i.48xlarge m8i.48xlarge m8i.96xlarge"
        " r6i.32xlarge r7i.48xlarge r8i.48xlarge r8i.96xlarge",
        rdma_read=True,
        nccl_simple=False,
    ),
    *(
        Fabric(
            instance_type=f"ml.{name}",
            rdma_read=True,
            nccl_simple=False,
            fork_safe=True,
            source=source.NEURON_HOSTS,
        )
        for name in ("trn1.32xlarge", "trn1n.32xlarge", "trn2.48xlarge")
    ),
)


def fabric_of(instance_type: str) -> Fabric | None:
    """Return the adapter of an instance type (``ml.p5.48xlarge``), or None where it has none."""
    return next((row for row in FABRICS if row.instance_type == instance_type), None)
