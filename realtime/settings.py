"""Configuration: one YAML for each thing a person may choose, composed by Hydra, checked by name and type.

Hydra chooses the files. What a person types as a value is taken as it is: a path may hold commas, brackets, quotes and
`${…}`, which mean something in Hydra's grammar and in OmegaConf's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import cast

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from realtime.errors import UsageError
from realtime.origin import ROOT

CONFIGS = ROOT / "configs"  # never another's package of that name


def load(name: str, overrides: Sequence[str] = (), schema: type | None = None, flags: Mapping[str, object] | None = None) -> DictConfig:
    """Compose `configs/<name>.yaml` with `overrides` ("spotter.max_duration=0.5"), typed by the dataclass `schema`.

    Args:
        flags: {"network": "a file's path"}, values that came as plain flags; None leaves a setting as it is.

    Raises:
        UsageError: an override names a key that does not exist (with the nearest known one), or a value has the wrong type
            (with the library's own sentence).
    """
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        groups = [word for word in overrides if os.path.isdir(CONFIGS / _key(word))]
        try:
            base = compose(name, overrides=groups)
            plain = [word for word in overrides if word not in groups and _taken_as_it_is(word, base)]
            composed = [word for word in overrides if word not in plain]
            config = base if composed == groups else compose(name, overrides=composed)
            given = {_key(word): _value(word, base) for word in plain} | {key: value for key, value in (flags or {}).items() if value is not None}
            assign(config, given)
            return config if schema is None else cast(DictConfig, OmegaConf.merge(OmegaConf.structured(schema), config))
        except (HydraException, OmegaConfBaseException) as error:
            raise UsageError(_one_line(error, _known(name, groups), overrides)) from error


def assign(config: DictConfig, values: Mapping[str, object]) -> None:
    """Set keys of a config to values from outside, as they are; None leaves a key as it is.

    Raises:
        UsageError: a key is not known, or a value not of its type.
    """
    for key, value in values.items():
        if value == "???":
            raise UsageError(f"cannot use {key}=???: give a value")
        if value is not None:
            OmegaConf.update(config, key, None if value == "null" else literal(value))


def literal(value: object) -> object:
    """A value in which OmegaConf finds nothing to fill in: "${oc.env:HOME}" stays those letters, in lists and dicts too."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)
    if isinstance(value, Mapping):
        return {key: literal(one) for key, one in value.items()}
    return [literal(one) for one in value] if isinstance(value, list | tuple) else value


def _key(word: str) -> str:
    return word.split("=")[0]


def _taken_as_it_is(word: str, base: DictConfig) -> bool:
    """Whether it sets a key that holds text (or nothing yet, or a list of texts): all that could hold a path."""
    if _key(word) not in _leaves(base):
        return False
    now = OmegaConf.select(base, _key(word))
    return now is None or isinstance(now, str) or isinstance(now, ListConfig) and all(isinstance(one, str) for one in now)


def _value(word: str, base: DictConfig) -> object:
    """What stands behind the sign. Quotes around all of it, and brackets around a list, are the notation's."""
    key, _, text = word.partition("=")
    listed = isinstance(OmegaConf.select(base, key), ListConfig)
    if listed and text[:1] + text[-1:] == "[]" and not os.path.exists(text):
        return [_unquoted(one.strip()) for one in text[1:-1].split(",") if one.strip()]
    return _unquoted(text)


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and not os.path.exists(text)
    return text[1:-1] if quoted else text


def _known(name: str, groups: list[str]) -> DictConfig:
    """The configuration with the groups that were chosen ("data=casme2"), whose keys differ; without where one is unknown."""
    try:
        return compose(name, overrides=groups)
    except HydraException:
        return compose(name)


def _one_line(error: Exception, base: DictConfig, overrides: Sequence[str]) -> str:
    options = getattr(error, "options", None)  # of a group, where the choice is unknown
    if options:
        group, _, choice = str(getattr(error, "missing_cfg_file", "")).rpartition("/")
        return f"unknown {group} '{choice}': expected one of {', '.join(sorted(options))}"
    known = [*_leaves(base), *(str(key) for key in base)]
    for override in overrides:
        key = _key(override).lstrip("+~")
        if key in known:
            continue
        near = get_close_matches(key, known, n=1, cutoff=0.0)
        return f"unknown setting '{key}': did you mean '{near[0]}'?" if near else f"unknown setting '{key}'"
    reason = str(error.__cause__ or error).strip().splitlines()[0]
    return f"cannot use {' '.join(overrides)}: {reason}"


def _leaves(config: DictConfig, prefix: str = "") -> list[str]:
    """Every dotted key of a config: ["spotter.max_duration", ...]."""
    keys = []
    for key in config:
        path = f"{prefix}{key!s}"
        missing = OmegaConf.is_missing(config, key)
        value = None if missing else config[key]
        keys += _leaves(value, f"{path}.") if isinstance(value, DictConfig) else [path]
    return keys
