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

spool_wraps = -Wl,--wrap=fdatasync,--wrap=pwrite,--wrap=fallocate,--wrap=clock_monotonic_ms
spool_fixture = tests/spool_fixture.c tests/spool_fixture.h tests/gzip_stand_in.c
test_programs += tests/test_spool
tests_test_spool_SOURCES = tests/test_spool.c $(spool_fixture)
tests_test_spool_CFLAGS = $(test_cflags)
tests_test_spool_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_LDADD = $(test_ldadd)
test_programs += tests/test_spool_recovery
tests_test_spool_recovery_SOURCES = tests/test_spool_recovery.c $(spool_fixture)
tests_test_spool_recovery_CFLAGS = $(test_cflags)
tests_test_spool_recovery_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_recovery_LDADD = $(test_ldadd)
test_programs += tests/test_spool_faults
tests_test_spool_faults_SOURCES = tests/test_spool_faults.c $(spool_fixture)
tests_test_spool_faults_CFLAGS = $(test_cflags)
tests_test_spool_faults_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_test_spool_faults_LDADD = $(test_ldadd)
test_programs += tests/test_delivery
tests_test_delivery_SOURCES = tests/test_delivery.c
tests_test_delivery_CFLAGS = $(test_cflags)
tests_test_delivery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_unix_ns
tests_test_delivery_LDADD = $(test_ldadd)

# Plain programs: Criterion does not start under ThreadSanitizer, so that build runs these alone.
thread_programs = tests/threads/spool_threads
tests_threads_spool_threads_SOURCES = tests/threads/spool_threads.c $(spool_fixture)
tests_threads_spool_threads_LDFLAGS = $(AM_LDFLAGS) $(spool_wraps)
tests_threads_spool_threads_LDADD = libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm
check_PROGRAMS += $(thread_programs)
TESTS += $(thread_programs)

# A shared object for LD_PRELOAD, built as if it were a program: libtool for one file would be too much.
check_PROGRAMS += tests/faults/failing_disk.so
tests_faults_failing_disk_so_SOURCES = tests/faults/failing_disk.c
tests_faults_failing_disk_so_CPPFLAGS = $(AM_CPPFLAGS)
tests_faults_failing_disk_so_CFLAGS = -std=gnu17 -fPIC
tests_faults_failing_disk_so_LDFLAGS = -shared
tests_faults_failing_disk_so_LDADD = -ldl
