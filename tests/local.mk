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

test_programs += tests/test_otlp
tests_test_otlp_SOURCES = tests/test_otlp.c \
	tests/support/oracle.c tests/support/oracle.h tests/support/fixture.c tests/support/fixture.h
tests_test_otlp_CFLAGS = $(test_cflags)
tests_test_otlp_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_test_otlp_LDADD = $(test_ldadd)
