# One Criterion program per module; tests/run-test makes a sanitizer's report a failure.
dist_check_SCRIPTS += tests/run-test tests/check-layers
LOG_COMPILER = $(srcdir)/tests/run-test
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir; builddir='$(builddir)'; export builddir;
EXTRA_DIST += tests/fixtures

test_programs =
TESTS += tests/check-layers
if HAVE_CRITERION
check_PROGRAMS += $(test_programs)
TESTS += $(test_programs)
endif

test_cflags = $(AM_CFLAGS) $(CRITERION_CFLAGS)
test_ldadd = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) $(CRITERION_LIBS) -lm

test_programs += tests/test_proto
tests_test_proto_SOURCES = tests/test_proto.c
tests_test_proto_CFLAGS = $(test_cflags)
tests_test_proto_LDADD = $(test_ldadd)

test_programs += tests/test_enrich
tests_test_enrich_SOURCES = tests/test_enrich.c \
	tests/support/oracle.c tests/support/oracle.h tests/support/fixture.c tests/support/fixture.h
tests_test_enrich_CFLAGS = $(test_cflags)
tests_test_enrich_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_enrich_LDADD = $(test_ldadd)
test_programs += tests/test_compression
tests_test_compression_SOURCES = tests/test_compression.c
tests_test_compression_CFLAGS = $(test_cflags)
tests_test_compression_LDADD = $(test_ldadd)

test_programs += tests/test_verdict
tests_test_verdict_SOURCES = tests/test_verdict.c
tests_test_verdict_CFLAGS = $(test_cflags)
tests_test_verdict_LDADD = $(test_ldadd)

test_programs += tests/test_destinations
tests_test_destinations_SOURCES = tests/test_destinations.c
tests_test_destinations_CFLAGS = $(test_cflags)
tests_test_destinations_LDADD = $(test_ldadd)

test_programs += tests/test_lane
tests_test_lane_SOURCES = tests/test_lane.c tests/support/fake_spool.c tests/support/fake_spool.h
tests_test_lane_CFLAGS = $(test_cflags)
tests_test_lane_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_lane_LDADD = $(test_ldadd)

test_programs += tests/test_exporter
tests_test_exporter_SOURCES = tests/test_exporter.c \
	tests/support/fake_destination.c tests/support/fake_destination.h \
	tests/support/fake_spool.c tests/support/fake_spool.h
tests_test_exporter_CFLAGS = $(test_cflags) -D_GNU_SOURCE
tests_test_exporter_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_exporter_LDADD = $(test_ldadd)

check_PROGRAMS += tests/threads/exporter_threads
TESTS += tests/threads/exporter_threads
tests_threads_exporter_threads_SOURCES = tests/threads/exporter_threads.c \
	tests/support/fake_destination.c tests/support/fake_destination.h \
	tests/support/fake_spool.c tests/support/fake_spool.h
tests_threads_exporter_threads_CFLAGS = $(AM_CFLAGS) -D_GNU_SOURCE
tests_threads_exporter_threads_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_threads_exporter_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
