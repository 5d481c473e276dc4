/* Files under tests/fixtures, and a configuration as tests want it. */
#ifndef TG_TESTS_FIXTURE_H
#define TG_TESTS_FIXTURE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "config/config.h"

/* The whole file, to be freed by the caller as fixture.at; the test fails when it is not there. */
struct bytes fixture(const char *path);

bool fixture_is_there(const char *path);

/* The defaults that matter to the wire walk; changed freely by a test. */
struct config fixture_config(void);

#endif
