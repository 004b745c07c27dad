"""Derived facts: several sources joined, and what follows from them. Pure functions, one file a section."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.derive.gpus import derive_gpus, with_visible
from gpudoctor.derive.group import derive_group
from gpudoctor.derive.pasted import with_pasted
from gpudoctor.derive.topology import derive_topology
from gpudoctor.derive.visible import derive_visible
from gpudoctor.derive.xids import with_gpu_indices
from gpudoctor.model.facts import Facts

__all__ = ["derive"]


def derive(facts: Facts) -> Facts:
    """Fill the derived sections from the raw ones."""
    facts = with_pasted(facts)
    gpus = derive_gpus(facts)
    devices = gpus.devices.or_none()
    visible = derive_visible(facts, devices)
    facts = replace(
        facts,
        gpus=with_visible(gpus, visible.devices, visible.count, facts.nvidia_smi.models),
        visible=visible,
        kernel_log=with_gpu_indices(facts.kernel_log, devices or ()),
        topology=derive_topology(facts, gpus.devices),
    )
    if facts.workload.model.known:
        from gpudoctor.derive.model import derive_model  # its table is read only where a model is named

        memory = [
            m for gpu in facts.gpus.visible.or_none() or () if (m := gpu.memory_total_bytes.or_none()) is not None
        ]
        facts = replace(
            facts, model=derive_model(facts.workload, visible.count.or_none(), min(memory) if memory else None)
        )
    if facts.torch.version.known or facts.log.lines.known:
        from gpudoctor.derive.torch_wheel import derive_torch_wheel

        facts = replace(facts, torch_wheel=derive_torch_wheel(facts))
    facts = replace(facts, group=derive_group(facts))
    if facts.model.id.known and facts.workload.framework.known:
        from gpudoctor.derive.fit import with_fit

        facts = with_fit(facts)
    return facts
