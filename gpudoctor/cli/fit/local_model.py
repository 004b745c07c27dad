"""A checkpoint on this machine → its shape with exact sizes: which files it has, and their headers only."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from gpudoctor.errors import InputFileError
from gpudoctor.host.access import Host, HostError
from gpudoctor.host.reading import text_or

if TYPE_CHECKING:
    from gpudoctor.fit.shape import Shape
    from gpudoctor.readers.gguf import Gguf
    from gpudoctor.readers.model_config import ModelConfig, Section
    from gpudoctor.readers.quantization_config import Quantization
    from gpudoctor.readers.tensor import Read, Tensor

T = TypeVar("T")

_INDEX: Final = ".safetensors.index.json"
_CONFIGS: Final = ("config.json", "params.json")  # the second is Mistral's own
_QUANTIZATION: Final = ("quantization_config.json", "quantize_config.json", "quant_config.json", "hf_quant_config.json")
_MAX_FILES: Final = 10_000
_HINT: Final = "give the folder of a model with its config.json, or a .gguf file"


def names_a_place(model: str) -> bool:
    """Whether MODEL means something on this disk rather than an id of the table."""
    if model.startswith(("/", "./", "../", "~")) or model in (".", ".."):
        return True
    return model.endswith((".gguf", ".safetensors", ".json")) or Path(model).is_dir()


def local_shape(host: Host, model: str) -> Shape:
    """The shape of a folder, a .gguf file, a .safetensors file or a config.json.

    Raises:
        InputFileError: nothing there, no model, or a broken file; the message names the file and the place.
    """
    from gpudoctor.fit.rows import IncompleteRowError

    try:
        path = str(Path(model).expanduser().absolute())
        return _shape(host, os.path.normpath(path))
    except (OSError, RuntimeError) as error:  # the current folder is gone; nobody knows this ~user
        raise InputFileError(f"{model} cannot be found: {error}", _HINT) from error
    except HostError as error:
        raise InputFileError(error.detail, _HINT) from error
    except IncompleteRowError as error:
        raise InputFileError(f"{model} does not say enough: {error}", _HINT) from error


def _shape(host: Host, path: str) -> Shape:
    name = path.rpartition("/")[2]
    if name.lower().endswith(".gguf"):
        return _gguf(host, path)
    if name.endswith((".safetensors", ".json")):
        return _folder(host, path.rpartition("/")[0] or "/")
    return _folder(host, path)


def _folder(host: Host, folder: str) -> Shape:
    names = host.list_dir(folder)[:_MAX_FILES]
    config = next((name for name in _CONFIGS if name in names), None)
    if config is None and "snapshots" in names:
        return _folder(host, _snapshot(host, folder))
    if config is None:
        return _only_gguf(host, folder, names)
    from gpudoctor.fit.local_shape import shape_of_folder
    from gpudoctor.readers.model_config import read_model_config

    read = _checked(f"{folder}/{config}", lambda: read_model_config(_text(host, f"{folder}/{config}")))
    name = folder.rpartition("/")[2] or folder
    tensors, missing = _tensors(host, folder, names)
    shape = shape_of_folder(read, _quantization(host, folder, names, read), tensors, name)
    if missing:
        from msgspec.structs import replace

        note = f"{missing} of the files that the index names are not there: sizes by the formula"
        shape = replace(shape, assumptions=(*shape.assumptions, note))
    return shape


def _snapshot(host: Host, folder: str) -> str:
    """The current version in a folder of the hub's cache, models--ORG--NAME."""
    versions = host.list_dir(f"{folder}/snapshots")
    current = text_or(host, f"{folder}/refs/main")
    if current not in versions:
        current = versions[-1] if versions else ""
    if not current:
        raise InputFileError(f"{folder} has no downloaded version in it", _HINT)
    return f"{folder}/snapshots/{current}"


def _quantization(host: Host, folder: str, names: tuple[str, ...], config: ModelConfig) -> Quantization | None:
    """In config.json, or in a file of its own."""
    from gpudoctor.readers.quantization_config import read_quantization

    inside = config.quantization
    found = read_quantization(inside) if inside else None
    for name in _QUANTIZATION if found is None else ():
        if name in names:
            path = f"{folder}/{name}"
            section = _checked(path, partial(_section, host, path))
            found = found or read_quantization(section)
    return found


def _tensors(host: Host, folder: str, names: tuple[str, ...]) -> tuple[list[Tensor], int]:
    """The tensors of all files, and how many files are missing; none where any is."""
    from gpudoctor.readers.safetensors import read_safetensors
    from gpudoctor.readers.tensor import MAX_TENSORS

    files = _weight_files(host, folder, names)
    missing = sum(name not in names for name in files)
    if missing:
        return [], missing
    found: list[Tensor] = []
    for name in files:
        path = f"{folder}/{name}"
        found += _checked(path, partial(read_safetensors, _reader(host, path), host.file_size(path)))
        if len(found) > MAX_TENSORS:
            raise InputFileError(f"{folder} has more than {MAX_TENSORS} tensors, which no model has")
    return found, 0


def _weight_files(host: Host, folder: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the index; without one those called model*, else all but adapters and Mistral's second copy."""
    from gpudoctor.readers.safetensors_index import read_safetensors_index

    index = next((name for name in names if name.endswith(_INDEX)), None)
    if index is not None:
        path = f"{folder}/{index}"
        return _checked(path, lambda: read_safetensors_index(_text(host, path))).shards
    weights = [name for name in names if name.endswith(".safetensors") and not name.startswith(("adapter", "."))]
    for prefix in ("model", "consolidated"):
        preferred = [name for name in weights if name.startswith(prefix)]
        if preferred:
            return tuple(preferred)
    return tuple(weights)


def _only_gguf(host: Host, folder: str, names: tuple[str, ...]) -> Shape:
    """A folder with nothing but GGUF files: the one model in it."""
    from gpudoctor.readers.gguf_parts import models_among

    models = models_among(names)
    if len(models) == 1:
        return _gguf(host, f"{folder}/{models[0]}")
    if not models:
        raise InputFileError(f"{folder} has neither a config.json nor a .gguf file", _HINT)
    some = ", ".join(models[:4])
    raise InputFileError(f"{folder} has {len(models)} GGUF models: {some}", "name the file that you mean")


def _gguf(host: Host, path: str) -> Shape:
    from gpudoctor.fit.local_shape import shape_of_gguf
    from gpudoctor.readers.gguf_parts import is_no_model, parts_of

    folder, _, name = path.rpartition("/")
    parts = parts_of(name)
    files: list[Gguf] = [_read_gguf(host, f"{folder}/{part}") for part in parts]
    first = files[0]
    if is_no_model(first):
        kind = first.text("general.architecture") or first.text("general.type") or "nothing"
        raise InputFileError(f"{path} is no language model: it says that it is {kind[:40]!r}", _HINT)
    count = first.whole("split.count")
    if count and count != len(parts):
        raise InputFileError(
            f"{path} is one of {count} parts", "give the first part, with its name as it was published"
        )
    return shape_of_gguf(files, name)


def _read_gguf(host: Host, path: str) -> Gguf:
    from gpudoctor.readers.gguf import read_gguf

    return _checked(path, lambda: read_gguf(_reader(host, path), host.file_size(path)))


def _section(host: Host, path: str) -> Section:
    from gpudoctor.readers.model_config import read_section

    return read_section(_text(host, path))


def _text(host: Host, path: str) -> bytes:
    from gpudoctor.readers.safetensors_index import MAX_INDEX_BYTES

    return host.read(path, MAX_INDEX_BYTES + 1)


def _reader(host: Host, path: str) -> Read:
    return partial(host.read_at, path)


def _checked(path: str, read: Callable[[], T]) -> T:
    """What a reader makes of a file; its complaint names the file."""
    from gpudoctor.readers.model_config import ConfigError
    from gpudoctor.readers.tensor import CheckpointError

    try:
        return read()
    except (CheckpointError, ConfigError) as error:
        raise InputFileError(f"{path} {error}", _HINT) from error
