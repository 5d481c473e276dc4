# Stories: the whole daemon between fake destinations, seen from outside.
story_cflags = $(test_cflags) -I$(srcdir)/tests
story_ldadd = tests/support/libharness.a $(test_ldadd)

test_programs += tests/stories/harness
tests_stories_harness_SOURCES = tests/stories/harness.c
tests_stories_harness_CFLAGS = $(story_cflags)
tests_stories_harness_LDADD = $(story_ldadd)
