"""The phases of a rank, in order."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Callable, Mapping

from . import device, memory
from .channel import Channel, RefusedError
from .collectives import Collectives
from .config import Config
from .correctness import Correctness, sizes_up_to
from .layer import Layer, Shape, obstacle
from .meeting import Meeting, Said
from .opaque import Device, Torch
from .pairs import Pairs
from .patterns import Patterns
from .place import Place
from .pulse import Pulse
from .reach import Reach, this_host
from .timing import Timing

_LATER_S = 60  # our launcher's deadline comes before any of torch's


class Worker:
    """One rank. What a phase brings is there for the ones after it."""

    patterns_class = Patterns
    layer_class = Layer
    torch: Torch
    backend: str
    device: Device
    meeting: Meeting
    said: list[Said]  # by every rank of itself, when they met
    max_bytes: int
    ops: list[str]  # that this torch has
    layer: Layer | None = None

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.channel = Channel(config.pipe)
        self.place = Place.of(environ)
        self.timeout = timedelta(seconds=config.timeout_s + _LATER_S)

    def run(self) -> None:
        """The life of a rank."""
        self.phase("import", self.import_torch)
        self.phase("cuda_init", self.choose_device)
        self.phase("rendezvous", self.meet)
        self.phase("comm_init", self.init_group)
        self.phase("correctness", self.check)
        self.phase("bandwidth", self.measure)
        self.phase("teardown", self.leave)
        self.channel.tell("phase", phase="done")

    def phase(self, name: str, function: Callable[[], None]) -> None:
        """Announce a phase, then do it."""
        self.channel.tell("phase", phase=name)
        function()

    def import_torch(self) -> None:
        """Import torch and torch.distributed."""
        import torch
        import torch.distributed

        self.torch = torch
        self.channel.tell("facts", torch=str(torch.__version__), cuda=str(torch.version.cuda or ""))
        if not torch.distributed.is_available():
            raise RefusedError("no_distributed", "this build of torch has no torch.distributed")

    def choose_device(self) -> None:
        """A GPU for each rank, or the CPU."""
        self.backend, self.device = device.choose(self.torch, self.config, self.place, self.channel)

    def meet(self) -> None:
        """Find the other ranks, make sure that all were started for the same run, agree on the largest message."""
        free = memory.free_bytes(self.torch, self.device, self.place)
        mine = {
            "world": self.place.world,
            "backend": self.backend,
            "max_bytes": memory.largest_message(self.config.max_bytes, free, self.device),
            "free": free,
            "half": device.half_type(self.torch, self.device) if self.config.layer else "",
            "host": this_host(),
            "gpu": device.identity(self.torch, self.device),
            "config": self.config.shared(),
        }
        self.meeting = Meeting(self.torch.distributed, self.place, self.channel, self.timeout)
        self.said = self.meeting.compare(mine)
        self.max_bytes = min(said["max_bytes"] for said in self.said)
        if self.config.apart:
            Pulse(self.torch.distributed, self.place, self.channel)

    def init_group(self) -> None:
        """Build the communicator and send the first bytes through it."""
        Reach(self.meeting, self.place, self.channel, os.environ).check(self.said, self.backend)
        self.channel.tell("step", step="shared memory")
        memory.take_shared_memory()
        self.channel.tell("step", step="communicator")
        dist, world = self.torch.distributed, self.place.world
        dist.init_process_group(
            self.backend, store=self.meeting.store, rank=self.place.rank, world_size=world, timeout=self.timeout
        )
        if not self.config.collectives:
            return
        self.channel.tell("step", step="first all-reduce")
        one = self.torch.ones(1, device=self.device)
        dist.all_reduce(one)
        if float(one) != world:
            raise RefusedError("first_reduce", "the sum of %d ones is %g" % (world, float(one)))

    def check(self) -> None:
        """Every element of every result."""
        if not self.config.collectives:
            return
        rank, world = self.place.rank, self.place.world
        patterns = self.patterns_class(self.torch, self.device, rank, world)
        collectives = Collectives(self.torch.distributed, patterns, rank, world)
        checks = Correctness(collectives, patterns, self.channel, rank)
        self.ops = checks.run(self.config.ops, self.config.dtypes, self.sizes())
        if self.config.layer:
            self.check_layer(Shape(*self.config.layer))

    def sizes(self) -> list[int]:
        """Of the messages, with those of the layer's decode steps where there is one."""
        layer = self.config.layer
        return sizes_up_to(self.max_bytes, Shape(*layer).decode_messages() if layer else ())

    def check_layer(self, shape: Shape) -> None:
        """The linear pair of a layer, where every rank has room for it."""
        free = min(said["free"] for said in self.said)
        problem = obstacle(shape, self.place.world, free, cpu=self.device.type == "cpu")
        if problem:
            self.channel.tell("layer_left_out", text=problem)
            return
        half = "bf16" if all(said["half"] == "bf16" for said in self.said) else "fp16"
        self.channel.tell("step", step="layer, made")
        self.layer = self.layer_class(self.torch, self.device, self.place, shape, half=half)
        self.layer.check(self.channel)

    def measure(self) -> None:
        """Time by size."""
        timing = Timing(self.torch, self.device, self.place.world, self.channel)
        if self.config.collectives and self.config.timed:
            timing.run(self.ops, self.sizes())
            if self.layer:
                self.layer.measure(timing, self.channel)
        if self.config.pairs and (self.backend == "nccl" or self.config.pairs_on_cpu):
            pairs = Pairs(self.torch, self.device, self.place, self.meeting, self.channel)
            pairs.run(self.config.pairs, self.max_bytes, peer=self.config.peer)

    def confess(self, kind: str, text: str) -> None:
        """Where this rank's launcher is not the others': say there too what ended it."""
        if self.config.apart and hasattr(self, "meeting"):  # it may have failed before they met
            self.meeting.confess(kind, text)

    def leave(self) -> None:
        """Part from the group, then from each other."""
        self.torch.distributed.destroy_process_group()
        self.meeting.part()
