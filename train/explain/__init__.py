"""Why a network said what it said: `mer-train explain EVENT`."""
