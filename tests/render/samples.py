"""Sample reports that every format is tested on. None comes from a real machine."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Topology
from gpudoctor.model.finding import Evidence, Finding, Fix, NotEvaluated, Severity
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report, Status, Summary, Tool
from gpudoctor.render.error_report import error_report
from tests.render import machines

TOOL = Tool("gpudoctor", "0.1.0")
CREATED = "2026-11-21T03:00:00Z"
PROBES = ("nvml", "cuda", "pci", "driver", "python", "torch", "nccl", "environment", "shm", "memory", "kernel_log")
# Everything that a terminal, a shell, HTML, Markdown, XML or a CI log would act on.
HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x00\x08\x7f \u202eevil\u202c \u2066x\u2069 \u200b\ufeff\u2028"
    " <script>alert(1)</script> <img src=x onerror=y> \"' & ]]> --> ``` ` @someone #123 [link](http://evil.example)"
    ' ![pic](http://evil.example/x.png) | a | b | [bold]markup[/bold] {label="x"} \\ %0A ::error::x'
    "\n::error::y\r##[error]z"
)


def finding(
    rank: int,
    rule: str,
    severity: Severity,
    title: str,
    *,
    cause: str = "p2p_broken",
    why: str = "",
    subject: str = "host",
    confidence: float = 0.9,
    evidence: tuple[Evidence, ...] = (),
    fixes: tuple[Fix, ...] = (),
    verify: str = "",
    echo_of: str | None = None,
) -> Finding:
    return Finding(
        rank=rank,
        id=rule,
        cause=cause,
        severity=severity,
        confidence=confidence,
        title=title,
        why=why,
        subject=subject,
        evidence=evidence,
        fixes=fixes,
        verify=verify,
        echo_of=echo_of,
        fingerprint=f"{rank:02d}{rule}"[:16],
    )


def report(
    status: Status,
    facts: Facts,
    findings: tuple[Finding, ...] = (),
    *,
    not_evaluated: tuple[NotEvaluated, ...] = (),
    probes: tuple[ProbeResult, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Report:
    count = {severity: sum(one.severity == severity for one in findings) for severity in ("error", "warning", "info")}
    return Report(
        tool=TOOL,
        created_at=CREATED,
        status=status,
        host={"gpus": facts.gpus.count.or_none()},
        workload={"tp": facts.workload.tp.or_none()},
        findings=findings,
        not_evaluated=not_evaluated,
        probes=tuple(ProbeResult(name, "ok", 0.05) for name in PROBES) if probes is None else probes,
        facts=facts,
        summary=Summary(count["error"], count["warning"], count["info"], 84),
        notes=notes,
    )


def tp_error() -> Report:
    """Two cards, a TP size of four, what follows from it, a warning and a note."""
    run = (
        "vllm serve meta-llama/Llama-3.1-70B-Instruct --quantization awq --max-model-len 8192 --tensor-parallel-size 2"
    )
    leading = finding(
        1,
        "tp-exceeds-visible-gpus",
        "error",
        "TP size 4 needs more GPUs than the 2 that this process can see",
        cause="tp_exceeds_gpus",
        confidence=0.97,
        subject="gpu:0,gpu:1",
        why="vLLM starts one worker for each rank and gives each a GPU of its own. Ranks 2 and 3 find none, stop with "
        "`invalid device ordinal`, and the others wait for them until the rendezvous times out.",
        evidence=(
            Evidence(fact="workload.tp", value=4, source="launch command", label="TP size"),
            Evidence(fact="gpus.visible_count", value=2, source="nvml", label="visible GPUs"),
            Evidence(fact="gpus.count", value=2, source="nvml", label="GPUs in this machine"),
            Evidence(file="serve.log", line=41, text="RuntimeError: CUDA error: invalid device ordinal"),
        ),
        fixes=(
            Fix(
                "run on the 2 GPUs that are there",
                run,
                caveat="the weights must then fit into 2 x 24 GiB: `gpudoctor fit` says whether they do",
            ),
            Fix("use a machine with 4 GPUs", needs="hardware"),
            Fix(
                "split over pipeline stages of two machines",
                "vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 2 --pipeline-parallel-size 2",
                caveat="needs a Ray cluster",
            ),
        ),
        verify="gpudoctor nccl-test --tp 2 --devices 0,1",
    )
    echo = finding(
        2,
        "rendezvous-timeout",
        "warning",
        "Ranks 0 and 1 gave up waiting for ranks 2 and 3 after 600 s",
        cause="rendezvous",
        echo_of="tp-exceeds-visible-gpus",
    )
    second = finding(
        3,
        "p2p-refused-geforce",
        "warning",
        "The driver refuses peer-to-peer copies between GPU 0 and GPU 1",
        cause="p2p_unsupported",
        subject="gpu:0,gpu:1",
        confidence=0.85,
        why="GeForce cards of this generation have no peer-to-peer over PCIe. NCCL copies through host memory instead: "
        "that works, and costs some speed at large batches.",
        evidence=(Evidence(fact="topology.pairs", value="0-1 CNS", source="nvml", label="P2P status"),),
        fixes=(Fix("nothing has to change", caveat=""),),
    )
    note = finding(4, "persistence-off", "info", "Persistence mode is off: the first start takes seconds longer")
    return report("error", machines.two_cards(), (leading, echo, second, note))


def eight_gpus() -> Report:
    """Many findings on a server in a container."""
    shm = finding(
        1,
        "shm-docker-default",
        "error",
        "/dev/shm is 64 MiB, docker's default: NCCL needs about 500 MiB for 4 ranks",
        cause="shm_too_small",
        confidence=0.93,
        why="Without peer-to-peer between the sockets NCCL moves data through /dev/shm.",
        evidence=(Evidence(fact="shm.size_bytes", value=64 * 1024**2, source="statvfs", label="/dev/shm"),),
        fixes=(
            Fix(
                "start the container with a larger /dev/shm",
                "docker run --gpus all --shm-size 16g vllm/vllm-openai:v0.10.1 --tensor-parallel-size 4",
                undo="leave `--shm-size` out",
            ),
        ),
        verify="gpudoctor nccl-test --tp 4",
    )
    lost = finding(
        2,
        "gpu-lost",
        "error",
        "GPU 7 has fallen off the bus",
        cause="gpu_fault",
        subject="gpu:7",
        confidence=0.99,
        why="The driver lost contact with the card; nothing but a reset brings it back.",
        evidence=(
            Evidence(fact="gpus.devices", value="GPU_IS_LOST", source="nvml", label="GPU 7"),
            Evidence(file="dmesg", line=2114, text="NVRM: Xid (PCI:0000:e3:00): 79, GPU has fallen off the bus."),
        ),
        fixes=(Fix("power the machine off and on, then reseat the card if it comes back", needs="reboot"),),
    )
    group = finding(
        3,
        "better-group",
        "warning",
        "GPUs 0, 2, 4, 5 cross the CPU sockets; 0, 1, 4, 5 have two NVLink pairs",
        cause="slow_interconnect",
        subject="gpu:0,gpu:2,gpu:4,gpu:5",
        confidence=0.6,
        fixes=(Fix("choose the closer group", env={"CUDA_VISIBLE_DEVICES": "0,1,4,5"}),),
    )
    busy = finding(4, "vram-in-use", "info", "Other processes hold 66.9 GiB of GPU 2 and 76.2 GiB of GPU 3")
    return report(
        "error",
        machines.eight_mixed(),
        (shm, lost, group, busy),
        not_evaluated=(
            NotEvaluated("acs-redirects", ("pci.paths: no_permission (config space beyond 64 bytes)",)),
            NotEvaluated("xid-recent", ("kernel_log.xids: no_permission (dmesg_restrict)",)),
            NotEvaluated("tp-illegal-heads", ("model.attention_heads: not_provided",)),
        ),
    )


def healthy() -> Report:
    """Nothing wrong."""
    return report("ok", machines.eight_switched())


def no_gpu() -> Report:
    """A machine without a GPU is examined, not undiagnosed."""
    leading = finding(
        1,
        "no-gpu-on-bus",
        "error",
        "There is no NVIDIA GPU on this machine's PCI bus",
        cause="no_gpu",
        confidence=0.98,
        why="No display controller of vendor 10de is listed below /sys/bus/pci.",
        evidence=(Evidence(fact="gpus.pci_count", value=0, source="/sys", label="NVIDIA GPUs on the bus"),),
        fixes=(Fix("check power and seating of the card, and whether the BIOS lists it", needs="hardware"),),
    )
    return report("error", machines.no_gpu(), (leading,))


def timeouts() -> Report:
    """Probes that hung, crashed and were left out."""
    return report(
        "unknown",
        Facts(),
        not_evaluated=(
            NotEvaluated("tp-exceeds-visible-gpus", ("gpus.visible_count: timeout (nvmlInit_v2)",)),
            NotEvaluated("driver-library-mismatch", ("nvml.init_error: timeout", "driver.module_version: failed")),
            NotEvaluated("torch-cpu-build", ("torch.cuda_build: tool_missing (no python3 on PATH)",)),
        ),
        probes=(
            ProbeResult("nvml", "timeout", 10.02, "stuck in nvmlInit_v2, waiting in rm_acquire_lock (state D)"),
            ProbeResult("driver", "failed", 0.01, "/proc/driver/nvidia/version: Input/output error"),
            ProbeResult("shm", "ok", 0.001),
            ProbeResult("torch", "skipped", 0.0, "--quick"),
        ),
        notes=("A child process could not be ended: pid 4242 is stuck in the kernel.",),
    )


def hostile() -> Report:
    """Foreign text in every place that can hold it."""
    leading = finding(
        1,
        "hostile-rule",
        "error",
        f"Title {HOSTILE}",
        why=f"Why {HOSTILE}",
        subject=HOSTILE,
        evidence=(
            Evidence(fact="environment.variables", value=f"Value {HOSTILE}", source=HOSTILE, label=f"Label {HOSTILE}"),
            Evidence(file=f"log {HOSTILE}.txt", line=7, text=f"Text {HOSTILE}"),
            Evidence(fact="a.list", value=[HOSTILE, "x" * 3000], source="s"),
        ),
        fixes=(
            Fix(f"Fix {HOSTILE}", f"echo {HOSTILE}", env={"A": HOSTILE}, caveat=f"Caveat {HOSTILE}", undo=HOSTILE),
            Fix(f"Second {HOSTILE}", "", env={"B": HOSTILE}, needs="root"),
        ),
        verify=f"true {HOSTILE}",
    )
    echo = finding(2, "echo", "warning", f"Echo {HOSTILE}", echo_of="hostile-rule")
    note = finding(3, "note", "info", f"Note {HOSTILE}")
    base = machines.two_cards()
    bad = machines.gpu(0, f"NVIDIA {HOSTILE}", 24, 20)
    other = machines.gpu(1, "NVIDIA GeForce RTX 4090", 24, 20)
    software = machines.software(HOSTILE, HOSTILE, HOSTILE)
    facts = replace(
        Facts(nvml=base.nvml),
        python=software["python"],
        torch=software["torch"],
        gpus=machines.gpus_section((bad, other), (0, 1)),
        topology=Topology(pairs=known((machines.pair(0, 1, HOSTILE, HOSTILE),), HOSTILE)),
    )
    return report(
        "error",
        facts,
        (leading, echo, note),
        not_evaluated=(NotEvaluated(f"rule {HOSTILE}", (f"path {HOSTILE}: {HOSTILE}",)),),
        probes=(ProbeResult(f"probe {HOSTILE}", "failed", 0.1, HOSTILE),),
        notes=(f"Report note {HOSTILE}",),
    )


def unicode_names() -> Report:
    """Wide characters, accents and emoji in foreign text."""
    leading = finding(
        1,
        "vram-in-use",
        "error",
        "显存被其他进程占用: 进程 “推理服务” 占用了 GPU 0 的 21.3 GiB 显存; 剩余显存不足以加载模型权重",
        cause="vram_in_use",
        subject="gpu:0",
        why="Le modèle n'a plus assez de mémoire : il reste 2,7 GiB sur 24 GiB. Größe prüfen. "
        "日本語の文章は空白なしで続くので、折り返しは文字の間で行われなければならない。",
        evidence=(
            Evidence(fact="gpus.foreign_processes", value="推理服务 🚀", source="/proc/4711/comm", label="процесс"),
            Evidence(fact="environment.variables", value="~/größe/模型", source="shell", label="HF_HOME"),
        ),
        fixes=(Fix("end the process", "kill 4711", caveat="its work is lost"),),
        verify="gpudoctor check",
    )
    return report("error", machines.two_cards(), (leading,))


def unusable_input() -> Report:
    """Exit 2: the report is valid all the same."""
    return error_report(
        "cannot read snapshot.json: not a gpudoctor snapshot",
        hint="`gpudoctor snapshot -o FILE` writes one",
        kind="usage",
        exit_code=2,
        tool=TOOL,
        created_at=CREATED,
    )


SAMPLES: dict[str, Callable[[], Report]] = {
    "tp_error": tp_error,
    "eight_gpus": eight_gpus,
    "healthy": healthy,
    "no_gpu": no_gpu,
    "timeouts": timeouts,
    "hostile": hostile,
    "unicode": unicode_names,
    "unusable_input": unusable_input,
}
