"""The environment as a user has it."""

import os


def bare() -> dict[str, str]:
    """Nothing is switched off in it, neither by us nor because tests run: ONNX Runtime tells nobody anything where CI is set."""
    from engines.environment import SWITCHES

    return {key: value for key, value in os.environ.items() if key not in (*SWITCHES, "CI")}
