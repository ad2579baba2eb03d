"""The temporal interpolation model, for training: the live side's own (`realtime.inputs.tim`)."""

from realtime.inputs.tim import interpolate, weights

__all__ = ["interpolate", "weights"]
