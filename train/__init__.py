"""What makes networks: the models, the data sets, the protocols, and the export to `engines/zoo`."""
