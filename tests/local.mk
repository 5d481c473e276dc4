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
