# The price table, built into the program.
EXTRA_DIST += pricing/models.json pricing/README.md
