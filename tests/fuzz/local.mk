# One target per parser; without --enable-fuzz each replays its corpus as a test.
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
if FUZZ
fuzz_main =
else
fuzz_main = tests/fuzz/replay.c
TESTS += $(fuzz_programs)
endif
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus

fuzz_programs += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c $(fuzz_main)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_access
tests_fuzz_fuzz_access_SOURCES = tests/fuzz/fuzz_access.c $(fuzz_main)
tests_fuzz_fuzz_access_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_check
tests_fuzz_fuzz_check_SOURCES = tests/fuzz/fuzz_check.c $(fixture) $(fuzz_main)
tests_fuzz_fuzz_check_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_inflate
tests_fuzz_fuzz_inflate_SOURCES = tests/fuzz/fuzz_inflate.c $(fuzz_main)
tests_fuzz_fuzz_inflate_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_enrich
tests_fuzz_fuzz_enrich_SOURCES = tests/fuzz/fuzz_enrich.c $(oracle) $(fuzz_main)
tests_fuzz_fuzz_enrich_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(oracle) $(fuzz_main)
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_spool
tests_fuzz_fuzz_spool_SOURCES = tests/fuzz/fuzz_spool.c $(fuzz_main)
tests_fuzz_fuzz_spool_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c tests/support/scratch.c tests/support/scratch.h $(fuzz_main)
tests_fuzz_fuzz_control_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_content
tests_fuzz_fuzz_content_SOURCES = tests/fuzz/fuzz_content.c $(content_judge) $(oracle) $(fuzz_main)
tests_fuzz_fuzz_content_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_prices
tests_fuzz_fuzz_prices_SOURCES = tests/fuzz/fuzz_prices.c $(fuzz_main)
tests_fuzz_fuzz_prices_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_dialects
tests_fuzz_fuzz_dialects_SOURCES = tests/fuzz/fuzz_dialects.c $(events) $(fuzz_main)
tests_fuzz_fuzz_dialects_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_ingestion
tests_fuzz_fuzz_ingestion_SOURCES = tests/fuzz/fuzz_ingestion.c $(fuzz_main)
tests_fuzz_fuzz_ingestion_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_plan
tests_fuzz_fuzz_plan_SOURCES = tests/fuzz/fuzz_plan.c tests/support/session_events.c \
	tests/support/session_events.h $(fuzz_main)
tests_fuzz_fuzz_plan_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_events
tests_fuzz_fuzz_events_SOURCES = tests/fuzz/fuzz_events.c $(events_judge) $(fuzz_main)
tests_fuzz_fuzz_events_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_target
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz_target.c $(fuzz_main)
tests_fuzz_fuzz_target_LDFLAGS = $(fuzz_ldflags)

fuzz_programs += tests/fuzz/fuzz_toml
tests_fuzz_fuzz_toml_SOURCES = tests/fuzz/fuzz_toml.c $(fuzz_main)
tests_fuzz_fuzz_toml_LDFLAGS = $(fuzz_ldflags)
fuzz_programs += tests/fuzz/fuzz_json_settings
tests_fuzz_fuzz_json_settings_SOURCES = tests/fuzz/fuzz_json_settings.c $(settings_judge) $(fuzz_main)
tests_fuzz_fuzz_json_settings_LDFLAGS = $(fuzz_ldflags)
