#include <criterion/criterion.h>

#include "otlp/request.h"
#include "support/capture.h"

Test(capture, every_scenario_is_there_with_bodies_and_hooks_in_the_order_of_their_arrival)
{
	size_t scenarios = 0, hooks = 0, requests[4] = { 0 };
	for (const char *const *name = capture_names(); *name; name++, scenarios++) {
		struct capture capture = capture_open(*name);
		for (size_t i = 0; i < capture.count; i++) {
			const struct delivery *delivery = &capture.deliveries[i];
			cr_expect(i == 0 || delivery[-1].time_ns <= delivery->time_ns, "%s", *name);
			hooks += delivery->is_hook;
			requests[delivery->signal]++;
		}
		capture_close(&capture);
	}
	cr_expect_eq(scenarios, 33);
	cr_expect_eq(hooks, 377);
	cr_expect_eq(requests[SIGNAL_TRACES], 66);
	cr_expect_eq(requests[SIGNAL_LOGS], 79 + hooks);
	cr_expect_eq(requests[SIGNAL_METRICS], 58);
}
