"""The shape of the layer that a smoke run compares: of a model that is named, or as given."""

from __future__ import annotations

from gpudoctor.errors import UsageError
from gpudoctor.host import Host
from gpudoctor.smoke.plan import LayerShape


def layer_shape(host: Host, model: str | None, hidden: int | None, intermediate: int | None) -> LayerShape | None:
    """What is given beside a model counts more than its own sizes. None where nothing is given.

    Raises:
        UsageError: the model is not known, or only one of the sizes is given.
    """
    if model is not None:
        return _of_model(host, model, hidden, intermediate)
    if hidden is None and intermediate is None:
        return None
    if hidden is None or intermediate is None:
        raise UsageError(
            "--hidden and --intermediate belong together", "for example --hidden 4096 --intermediate 14336"
        )
    return LayerShape(hidden, intermediate)


def _of_model(host: Host, model: str, hidden: int | None, intermediate: int | None) -> LayerShape:
    from gpudoctor.cli.examine.model_config import with_model_config
    from gpudoctor.derive.model import derive_model
    from gpudoctor.model.fact import known
    from gpudoctor.model.facts import Workload

    shape = derive_model(with_model_config(host, Workload(model=known(model, "option"))), None)
    width, between = hidden or shape.hidden_size.or_none(), intermediate or shape.intermediate_size.or_none()
    if width is None or between is None:
        raise UsageError(
            f"the sizes of --model {model!r} are not known", "give --hidden and --intermediate, as in its config.json"
        )
    return LayerShape(width, between, shape.layers.or_none(), shape.id.or_none() or model)
