"""Environment variables that GPU software reads: the allow-listed part of the shell's, plus the launch command's."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Environment(Section, frozen=True, kw_only=True):
    """`variables` is what the workload's process would get: the shell's, overridden by the launch command's.

    Rules read `environment.variables['NCCL_P2P_DISABLE']`; a variable that is not set is absent not_applicable.
    Settings in NCCL's configuration files count where the environment does not set the variable.
    """

    variables: Fact[dict[str, str]] = NOT_PROVIDED
    # Those of which nobody here can say whether the run gets them, and with which value: name -> why. "*" stands for
    # all that are not in `variables`. A rule that asks for one is not evaluated.
    variables_undecided: Fact[dict[str, str]] = NOT_PROVIDED
    shell: Fact[dict[str, str]] = NOT_PROVIDED
    launch: Fact[dict[str, str]] = NOT_PROVIDED
    nccl_conf: Fact[dict[str, str]] = NOT_PROVIDED
    unknown_nccl: Fact[tuple[str, ...]] = NOT_PROVIDED  # NCCL_* names that no NCCL version reads
    unknown_nccl_meant: Fact[tuple[str, ...]] = NOT_PROVIDED  # known names that differ by a typing error from those
    newer_nccl: Fact[tuple[str, ...]] = NOT_PROVIDED  # names that only a newer NCCL than the installed one reads
    removed_nccl: Fact[tuple[str, ...]] = NOT_PROVIDED  # names that some old version read and this one ignores
