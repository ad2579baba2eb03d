"""`make gpu`: on a machine with a GPU, everything that only a GPU can prove or measure, in one report.

`steps` says what is run, each in a child of its own; `report` writes down what came of it. `kernels`, `naming` and
`training` are such children. `bundle` packs what a machine without a network needs for it, `unpacked` sets that up there.
"""
