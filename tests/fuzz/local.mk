# One target per parser; without --enable-fuzz each replays its corpus as a test.
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
if FUZZ
fuzz_main =
else
fuzz_main = tests/fuzz/replay.c
TESTS += $(fuzz_programs)
endif
fuzz_ldadd = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus

fuzz_programs += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c $(fuzz_main)
tests_fuzz_fuzz_config_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)
