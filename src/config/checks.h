/*
 * What a text must look like before it is used. Each returns NULL when it is fine, else the words that
 * follow "must be". Normalising happens in place.
 */
#ifndef TG_CONFIG_CHECKS_H
#define TG_CONFIG_CHECKS_H

/* host:port or [v6]:port */
const char *check_address(char *text);

/* http or https with a host. */
const char *check_url(char *text);

/* The same, but paths are appended: no query, and the slashes at its end are taken away. */
const char *check_base_url(char *text);

/* A name that Langfuse would take as it is; upper case is lowered, as Langfuse does. */
const char *check_environment(char *text);

/* Fit for Basic authentication. */
const char *check_key(char *text);

const char *check_readable(char *path);

/* The same, and others than its owner and group cannot. */
const char *check_private(char *path);

/* A group that this machine knows. */
const char *check_group(char *name);

/* A destination's or project's name: it becomes part of paths and log lines. */
const char *check_object_name(char *text);

/* A header's name, and its value: no line ends, which would add headers. */
const char *check_header_name(const char *text);
const char *check_header_value(const char *text);

#endif
