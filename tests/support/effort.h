/*
 * How often a property is tried. The sanitizers take ten times as long, so under them it is a quarter of what the
 * same check tries without them.
 */
#ifndef TG_TESTS_EFFORT_H
#define TG_TESTS_EFFORT_H

#ifndef __has_feature
#define __has_feature(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define EFFORT(times) ((times) / 4)
#else
#define EFFORT(times) (times)
#endif

#endif
