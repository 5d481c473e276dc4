# What drives the whole daemon from outside, with what the stories share.
check_LIBRARIES = tests/support/libharness.a
tests_support_libharness_a_SOURCES = \
	tests/support/child.c tests/support/child.h \
	tests/support/daemon.c tests/support/daemon.h \
	tests/support/scratch.c tests/support/scratch.h \
	tests/support/spans.c tests/support/spans.h \
	tests/support/wire.h \
	tests/support/claude_logs.c tests/support/claude_logs.h \
	tests/bench/gateway.c tests/bench/gateway.h \
	tests/bench/inflate.c tests/bench/inflate.h \
	tests/bench/latency.c tests/bench/latency.h \
	tests/bench/load.c tests/bench/load.h \
	tests/bench/payload.c tests/bench/payload.h tests/bench/payload_json.c \
	tests/bench/proxy.c tests/bench/proxy.h \
	tests/bench/rig.c tests/bench/rig.h \
	tests/bench/sink.c tests/bench/sink.h \
	tests/bench/stand_in.c tests/bench/stand_in.h \
	tests/bench/tally.c tests/bench/tally.h
harness_ldadd = tests/support/libharness.a libtollgate.a $(DEPS_LIBS) $(ISAL_LIBS) -lm

# tests/bench/run BUILD_DIR measures; tests/faults/run BUILD_DIR does harm and counts.
EXTRA_DIST += tests/bench/run tests/faults/run
check_PROGRAMS += tests/bench/bench tests/faults/kill tests/faults/damage tests/faults/full_disk
tests_bench_bench_SOURCES = tests/bench/bench.c
tests_bench_bench_LDADD = $(harness_ldadd)
tests_faults_kill_SOURCES = tests/faults/kill.c tests/faults/rounds.c tests/faults/rounds.h
tests_faults_kill_LDADD = $(harness_ldadd)
tests_faults_damage_SOURCES = tests/faults/damage.c
tests_faults_damage_LDADD = $(harness_ldadd)
tests_faults_full_disk_SOURCES = tests/faults/full_disk.c
tests_faults_full_disk_LDADD = $(harness_ldadd)
