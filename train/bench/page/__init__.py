"""`mer-bench page`: people at the page, one after another, as fast as it goes; and what its server holds meanwhile."""
