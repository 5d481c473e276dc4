#include "config/checks.h"

#include <ctype.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lower_name[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

static int is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return 0;
	return 1;
}

const char *check_address(char *text)
{
	static const char wanted[] = "host:port such as 127.0.0.1:4318 or [::1]:4318";
	char *colon = strrchr(text, ':');
	if (!colon || colon == text || !is_printable(text))
		return wanted;
	if (*text == '[' ? colon[-1] != ']' || colon - text < 4 :
			   memchr(text, ':', (size_t)(colon - text)) != NULL)
		return wanted;
	size_t digits = strspn(colon + 1, "0123456789");
	if (digits == 0 || digits > 5 || colon[1 + digits] || atoi(colon + 1) > 65535)
		return "host:port with a port from 0 to 65535";
	return NULL;
}

const char *check_url(char *text)
{
	static const char wanted[] = "a URL such as http://127.0.0.1:4318";
	size_t scheme = 0;
	if (strncasecmp(text, "http://", 7) == 0)
		scheme = 7;
	else if (strncasecmp(text, "https://", 8) == 0)
		scheme = 8;
	if (!scheme || !is_printable(text))
		return wanted;
	size_t host = strcspn(text + scheme, "/?#");
	if (memchr(text + scheme, '@', host))
		return "a URL without user and password (use keys or headers)";
	return host == 0 || text[scheme] == ':' ? wanted : NULL;
}

const char *check_base_url(char *text)
{
	const char *wanted = check_url(text);
	if (wanted)
		return wanted;
	if (strpbrk(text, "?#"))
		return "a URL without ? and #";
	for (size_t len = strlen(text); text[len - 1] == '/'; len--)
		text[len - 1] = '\0';
	return NULL;
}

const char *check_environment(char *text)
{
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	size_t len = strlen(text);
	if (len > 40 || strspn(text, lower_name) != len || strncmp(text, "langfuse", 8) == 0)
		return "at most 40 of a-z, 0-9, - and _, not beginning with \"langfuse\"";
	return NULL;
}

const char *check_key(char *text)
{
	if (!is_printable(text) || strchr(text, ':'))
		return "one word without blanks and colons";
	return NULL;
}

const char *check_readable(char *path)
{
	return access(path, R_OK) == 0 ? NULL : "the path of a file that can be read";
}

const char *check_private(char *path)
{
	struct stat status;
	if (check_readable(path) || stat(path, &status) < 0)
		return check_readable(path);
	return status.st_mode & 007 ?
		"the path of a file that can be read, but not by everyone (chmod o=)" :
		NULL;
}

const char *check_group(char *name)
{
	return getgrnam(name) ? NULL : "the name of a group that is known here";
}

const char *check_object_name(char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > 32 || strspn(text, lower_name) != len)
		return "1 to 32 of a-z, 0-9, - and _";
	return NULL;
}

const char *check_header_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
			return "letters, digits and -";
	return *text && strlen(text) <= 256 ? NULL : "1 to 256 letters, digits and -";
}

const char *check_header_value(const char *text)
{
	for (const char *c = text; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "one line";
	return strlen(text) <= 8192 ? NULL : "at most 8192 bytes long";
}
