# Stories: the whole daemon between fake destinations, seen from outside.
test_programs += tests/stories/harness
tests_stories_harness_SOURCES = tests/stories/harness.c
tests_stories_harness_LDADD = tests/support/libharness.a $(LDADD)
