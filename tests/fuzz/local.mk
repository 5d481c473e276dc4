# One target per parser. With --enable-fuzz each is a fuzzer; without, each replays its corpus as a test.
EXTRA_DIST += tests/fuzz/corpus
fuzz_programs =
if FUZZ
fuzz_main =
noinst_PROGRAMS += $(fuzz_programs)
else
fuzz_main = tests/fuzz/replay_main.c
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)
endif
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
fuzz_ldadd = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm

fuzz_programs += tests/fuzz/fuzz_spool
tests_fuzz_fuzz_spool_SOURCES = tests/fuzz/fuzz_spool.c tests/gzip_stand_in.c $(fuzz_main)
tests_fuzz_fuzz_spool_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spool_LDADD = $(fuzz_ldadd)
