# One target per parser; without --enable-fuzz each replays its corpus as a test.
