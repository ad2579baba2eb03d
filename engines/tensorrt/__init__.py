"""TensorRT plans: networks compiled for a GPU. `build` makes, `store` keeps, `manifest` describes, `run` runs them.

A plan is machine code with a wrapper: whoever deserialises one runs it. So plans lie in a folder that only their owner
can write, and nothing deserialises a plan whose bytes have not been checked against its manifest.
"""
