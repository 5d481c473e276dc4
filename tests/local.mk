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

test_programs += tests/test_compression
tests_test_compression_SOURCES = tests/test_compression.c
tests_test_compression_CFLAGS = $(test_cflags)
tests_test_compression_LDADD = $(test_ldadd)

test_programs += tests/test_http_server
tests_test_http_server_SOURCES = tests/test_http_server.c tests/http_peer.c tests/http_peer.h
tests_test_http_server_CFLAGS = $(test_cflags)
tests_test_http_server_LDADD = $(test_ldadd)
