# Stories: the whole daemon between fake destinations, seen from outside.
test_programs += tests/stories/harness
tests_stories_harness_SOURCES = tests/stories/harness.c
tests_stories_harness_LDADD = tests/support/libharness.a $(LDADD)
story_cflags = $(test_cflags) -I$(srcdir)/tests
story_ldadd = tests/stories/libstory.a tests/support/libharness.a $(test_ldadd)
if HAVE_CRITERION
check_LIBRARIES = tests/stories/libstory.a
endif
tests_stories_libstory_a_SOURCES = tests/stories/story.c tests/stories/story.h \
	tests/support/fake_destination.c tests/support/fake_destination.h \
	tests/support/fixture.c tests/support/fixture.h \
	tests/support/oracle.c tests/support/oracle.h
tests_stories_libstory_a_CFLAGS = $(story_cflags)

test_programs += tests/stories/harness
tests_stories_harness_SOURCES = tests/stories/harness.c
tests_stories_harness_CFLAGS = $(story_cflags)
tests_stories_harness_LDADD = $(story_ldadd)

test_programs += tests/stories/first_contact
tests_stories_first_contact_SOURCES = tests/stories/first_contact.c
tests_stories_first_contact_CFLAGS = $(story_cflags)
tests_stories_first_contact_LDADD = $(story_ldadd)

test_programs += tests/stories/outages
tests_stories_outages_SOURCES = tests/stories/outages.c
tests_stories_outages_CFLAGS = $(story_cflags)
tests_stories_outages_LDADD = $(story_ldadd)

test_programs += tests/stories/doors
tests_stories_doors_SOURCES = tests/stories/doors.c
tests_stories_doors_CFLAGS = $(story_cflags)
tests_stories_doors_LDADD = $(story_ldadd)

test_programs += tests/stories/idle
tests_stories_idle_SOURCES = tests/stories/idle.c
tests_stories_idle_CFLAGS = $(story_cflags)
tests_stories_idle_LDADD = $(story_ldadd)

test_programs += tests/stories/kill
tests_stories_kill_SOURCES = tests/stories/kill.c tests/faults/rounds.c tests/faults/rounds.h
tests_stories_kill_CFLAGS = $(story_cflags)
tests_stories_kill_LDADD = $(story_ldadd)
