"""What makes networks: the models, the data sets, the protocols, and the export to `engines/zoo`."""

import realtime  # noqa: F401 - first of all: it switches off what libraries tell their makers
