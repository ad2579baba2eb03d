"""Configuration: one YAML for each thing a person may choose, composed by Hydra, checked by name and type."""

from __future__ import annotations

from difflib import get_close_matches

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from realtime.errors import UsageError
from realtime.origin import ROOT


def load(name: str, overrides: list[str] = (), schema: type | None = None) -> DictConfig:
    """Compose `configs/<name>.yaml` with `overrides` ("spotter.max_duration=0.5"), typed by the dataclass `schema`.

    Raises UsageError, with the nearest known key, where an override names a key that does not exist, and with
    Hydra's own sentence where a value has the wrong type.
    """
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):  # never another's `configs`
        base = compose(name)
        try:
            config = compose(name, overrides=list(overrides))
            if schema is None:
                return config
            return OmegaConf.merge(OmegaConf.structured(schema), config)
        except (HydraException, OmegaConfBaseException) as error:
            raise UsageError(_one_line(error, _chosen(name, overrides) or base, overrides)) from error


def _chosen(name: str, overrides: list[str]) -> DictConfig | None:
    """The configuration with the groups that were chosen ("data=casme2"), whose keys differ; None where one is unknown."""
    try:
        return compose(name, overrides=[override for override in overrides if "." not in override.split("=")[0]])
    except HydraException:
        return None


def _one_line(error: Exception, base: DictConfig, overrides: list[str]) -> str:
    options = getattr(error, "options", None)  # of a group, where the choice is unknown
    if options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        return f"unknown {group} '{choice}': expected one of {', '.join(sorted(options))}"
    known = [*_leaves(base), *(str(key) for key in base)]
    for override in overrides:
        key = override.split("=")[0].lstrip("+~")
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
        path = f"{prefix}{key}"
        missing = OmegaConf.is_missing(config, key)
        value = None if missing else config[key]
        keys += _leaves(value, f"{path}.") if isinstance(value, DictConfig) else [path]
    return keys
