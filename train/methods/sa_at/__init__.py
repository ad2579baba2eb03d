"""SA-AT (Zhou, Mao, Xue: style aggregated and attention transfer)."""
