/* tollgate key: a gateway key, of which the daemon will know the hash alone. */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/keys.h"
#include "base/complaint.h"

enum { FLAG_APPEND };
enum {
	RANDOM_BYTES = 32,
	RANDOM_CHARS = 43, /* of base64url, which needs no padding to be read */
	LINE_MAX_BYTES = 256,
};

static const char key_prefix[] = "tg-";
enum { KEY_TEXT_BYTES = sizeof key_prefix + RANDOM_CHARS };

static const struct flag flags[] = {
	[FLAG_APPEND] = { "--append", "FILE",
		"Writes the line to the end of FILE, and prints the key alone." },
	{ NULL },
};

static int make_key(char key[KEY_TEXT_BYTES])
{
	uint8_t random[RANDOM_BYTES];
	char text[4 * (RANDOM_BYTES + 2) / 3 + 1];
	if (RAND_priv_bytes(random, sizeof random) != 1)
		return -EIO;
	EVP_EncodeBlock((uint8_t *)text, random, sizeof random);
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	snprintf(key, KEY_TEXT_BYTES, "%s%.*s", key_prefix, RANDOM_CHARS, text);
	OPENSSL_cleanse(random, sizeof random);
	OPENSSL_cleanse(text, sizeof text);
	return 0;
}

/* A file that is there must be one of keys. */
static int check_file(const char *path)
{
	struct keyring keys = { 0 };
	struct complaint complaint = { 0 };
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	int error = keyring_read_file(&keys, path, 0, &complaint);
	keyring_done(&keys);
	if (error)
		complaint_print(&complaint);
	return error;
}

static int write_line(int fd, struct bytes line)
{
	struct stat status;
	char last = '\n';
	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size && pread(fd, &last, 1, status.st_size - 1) != 1)
		return -EIO;
	/* At once, so that two of us never mix their lines. */
	char text[LINE_MAX_BYTES];
	int len = snprintf(text, sizeof text, "%s%.*s", last == '\n' ? "" : "\n", (int)line.len,
		(const char *)line.at);
	ssize_t put = write(fd, text, (size_t)len);
	if (put != len)
		return put < 0 ? -errno : -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

static int append_line(const char *path, struct bytes line)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	int error = write_line(fd, line);
	close(fd);
	return error;
}

static int give(const char *name, const char *path, const char *key, struct buf *line)
{
	int error = key_write_line(name, bytes_of(key), line);
	if (error) {
		fprintf(stderr, "tollgate: no memory for a key\n");
		return EXIT_FAILED;
	}
	if (!path) {
		printf("The key, which is shown this once: %s\n\n"
		       "The line for access.keys_file or a project's gateway_keys_file:\n%.*s",
			key, (int)line->len, (const char *)line->at);
		return EXIT_DONE;
	}
	error = append_line(path, buf_bytes(line));
	if (error) {
		fprintf(stderr, "tollgate: the line cannot be written to %s: %s\n", path,
			strerror(-error));
		return EXIT_FAILED;
	}
	printf("%s\n", key);
	return EXIT_DONE;
}

static int run(struct arguments *arguments)
{
	const char *value = NULL, *name = NULL, *path = NULL;
	for (int argument; (argument = arguments_next(arguments, &value)) != ARGUMENT_END;) {
		if (argument == FLAG_APPEND)
			path = value;
		else if (argument == ARGUMENT_OPERAND && !name)
			name = value;
		else
			return arguments_refuse(arguments, argument, value);
	}
	if (!name || !key_is_name(bytes_of(name))) {
		fprintf(stderr,
			"tollgate: key needs a name of 1 to %d letters, digits and . _ @ -\n",
			KEY_NAME_MAX);
		return EXIT_USAGE;
	}
	char key[KEY_TEXT_BYTES];
	struct buf line;
	if (path && check_file(path) < 0)
		return EXIT_USAGE;
	if (make_key(key) < 0) {
		fprintf(stderr, "tollgate: this machine has no random numbers for a key\n");
		return EXIT_FAILED;
	}
	buf_init(&line, LINE_MAX_BYTES, NULL);
	int status = give(name, path, key, &line);
	buf_done(&line);
	OPENSSL_cleanse(key, sizeof key);
	return status;
}

const struct command command_key = {
	.name = "key",
	.sentence = "Makes a gateway key, and the line that lets it in.",
	.operands = "NAME",
	.flags = flags,
	.manual =
		"The key is random. Without `--append` it is printed with the line that lets it in: "
		"the name and the key's SHA-256, for the file of `access.keys_file` (the default "
		"project) or of a project's `gateway_keys_file`, which the daemon reads again at "
		"SIGHUP. NAME says whose the key is, to who reads the file: letters, digits and . _ @"
		" -.\n\n"
		"The key cannot be told from its line, so it is shown this once. To end it, take its "
		"line out.",
	.run = run,
};
