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

test_programs += tests/test_config
tests_test_config_SOURCES = tests/test_config.c
tests_test_config_CFLAGS = $(test_cflags)
tests_test_config_LDADD = $(test_ldadd)

test_programs += tests/test_complaints
tests_test_complaints_SOURCES = tests/test_complaints.c
tests_test_complaints_CFLAGS = $(test_cflags)
tests_test_complaints_LDADD = $(test_ldadd)
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

test_programs += tests/test_send
tests_test_send_SOURCES = tests/test_send.c
tests_test_send_CFLAGS = $(test_cflags)
tests_test_send_LDADD = $(test_ldadd)

test_programs += tests/test_cli
tests_test_cli_SOURCES = tests/test_cli.c
tests_test_cli_CFLAGS = $(test_cflags)
tests_test_cli_LDADD = $(test_ldadd)

# Needs the program itself, which check builds first.
dist_check_SCRIPTS += tests/check-manual
TESTS += tests/check-manual
