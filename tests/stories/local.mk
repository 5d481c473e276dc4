# Stories: the whole daemon between fake destinations, seen from outside.
story = tests/stories/story.c tests/stories/story.h $(fake_destination) \
	$(fake_langfuse) $(oracle)
story_ldadd = tests/support/libharness.a $(LDADD)

test_programs += tests/stories/harness
tests_stories_harness_SOURCES = tests/stories/harness.c
tests_stories_harness_LDADD = $(story_ldadd)

test_programs += tests/stories/first_contact
tests_stories_first_contact_SOURCES = tests/stories/first_contact.c $(story)
tests_stories_first_contact_LDADD = $(story_ldadd)

test_programs += tests/stories/outages
tests_stories_outages_SOURCES = tests/stories/outages.c $(story)
tests_stories_outages_LDADD = $(story_ldadd)

test_programs += tests/stories/doors
tests_stories_doors_SOURCES = tests/stories/doors.c $(story)
tests_stories_doors_LDADD = $(story_ldadd)

test_programs += tests/stories/access
tests_stories_access_SOURCES = tests/stories/access.c $(exposition) $(http_peer) $(story)
tests_stories_access_LDADD = $(story_ldadd)

test_programs += tests/stories/tls
tests_stories_tls_SOURCES = tests/stories/tls.c $(certificates) $(tls_client) $(story)
tests_stories_tls_LDADD = $(story_ldadd)

test_programs += tests/stories/encodings
tests_stories_encodings_SOURCES = tests/stories/encodings.c $(story)
tests_stories_encodings_LDADD = $(story_ldadd)

test_programs += tests/stories/vocabularies
tests_stories_vocabularies_SOURCES = tests/stories/vocabularies.c $(corpus) $(langfuse_rules) $(story)
tests_stories_vocabularies_LDADD = $(story_ldadd)

test_programs += tests/stories/idle
tests_stories_idle_SOURCES = tests/stories/idle.c $(story)
tests_stories_idle_LDADD = $(story_ldadd)

test_programs += tests/stories/kill
tests_stories_kill_SOURCES = tests/stories/kill.c tests/faults/rounds.c tests/faults/rounds.h $(story)
tests_stories_kill_LDADD = $(story_ldadd)

test_programs += tests/stories/disk
tests_stories_disk_SOURCES = tests/stories/disk.c $(story)
tests_stories_disk_LDADD = $(story_ldadd)

test_programs += tests/stories/space
tests_stories_space_SOURCES = tests/stories/space.c $(story)
tests_stories_space_LDADD = $(story_ldadd)

test_programs += tests/stories/group
tests_stories_group_SOURCES = tests/stories/group.c
tests_stories_group_LDADD = $(story_ldadd)

test_programs += tests/stories/doctor
tests_stories_doctor_SOURCES = tests/stories/doctor.c $(certificates) $(one_span) $(story)
tests_stories_doctor_LDADD = $(story_ldadd)

test_programs += tests/stories/settings
tests_stories_settings_SOURCES = tests/stories/settings.c $(story)
tests_stories_settings_LDADD = $(story_ldadd)

test_programs += tests/stories/monitors
tests_stories_monitors_SOURCES = tests/stories/monitors.c $(one_span) $(exposition) $(story)
tests_stories_monitors_LDADD = $(story_ldadd)

test_programs += tests/stories/view
tests_stories_view_SOURCES = tests/stories/view.c $(story)
tests_stories_view_LDADD = $(story_ldadd)

test_programs += tests/stories/local
tests_stories_local_SOURCES = tests/stories/local.c $(story)
tests_stories_local_LDADD = $(story_ldadd)

test_programs += tests/stories/content
tests_stories_content_SOURCES = tests/stories/content.c $(one_span) $(content_judge) $(story)
tests_stories_content_LDADD = $(story_ldadd)

test_programs += tests/stories/dead
tests_stories_dead_SOURCES = tests/stories/dead.c $(story)
tests_stories_dead_LDADD = $(story_ldadd)

test_programs += tests/stories/ledger
tests_stories_ledger_SOURCES = tests/stories/ledger.c $(story)
tests_stories_ledger_LDADD = $(story_ldadd)

test_programs += tests/stories/prices
tests_stories_prices_SOURCES = tests/stories/prices.c $(one_span) $(story)
tests_stories_prices_LDADD = $(story_ldadd)

test_programs += tests/stories/sessions
tests_stories_sessions_SOURCES = tests/stories/sessions.c $(capture_alone) $(session_tree) $(story)
tests_stories_sessions_LDADD = $(story_ldadd)
test_programs += tests/stories/signals
tests_stories_signals_SOURCES = tests/stories/signals.c tests/support/capture.c tests/support/capture.h $(exposition) $(story)
tests_stories_signals_LDADD = $(story_ldadd)

test_programs += tests/stories/sources
tests_stories_sources_SOURCES = tests/stories/sources.c tests/support/capture.c tests/support/capture.h $(story)
tests_stories_sources_LDADD = $(story_ldadd)

test_programs += tests/stories/proxy
tests_stories_proxy_SOURCES = tests/stories/proxy.c $(exposition) $(http_peer) $(story)
tests_stories_proxy_LDADD = $(story_ldadd)

test_programs += tests/stories/projects
tests_stories_projects_SOURCES = tests/stories/projects.c tests/support/claude_logs.c \
	tests/support/claude_logs.h $(story)
tests_stories_projects_LDADD = $(story_ldadd)

test_programs += tests/stories/away
tests_stories_away_SOURCES = tests/stories/away.c $(http_peer) $(story)
tests_stories_away_LDADD = $(story_ldadd)

test_programs += tests/stories/isolation
tests_stories_isolation_SOURCES = tests/stories/isolation.c $(http_peer) $(story)
tests_stories_isolation_LDADD = $(story_ldadd)

test_programs += tests/stories/doctor_hops
tests_stories_doctor_hops_SOURCES = tests/stories/doctor_hops.c $(http_peer) $(tls_peer) $(story)
tests_stories_doctor_hops_LDADD = $(story_ldadd)

test_programs += tests/stories/setup
tests_stories_setup_SOURCES = tests/stories/setup.c $(story)
tests_stories_setup_LDADD = $(story_ldadd)

test_programs += tests/stories/setup_codex
tests_stories_setup_codex_SOURCES = tests/stories/setup_codex.c $(exposition) $(story)
tests_stories_setup_codex_LDADD = $(story_ldadd)
