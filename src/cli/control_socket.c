#include "cli/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/complaint.h"
#include "cli/glance.h"
#include "http/unix_socket.h"

enum { WAIT_MS = 5000 };

static const char service_socket[] = "/run/tollgate/control.sock";

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* In this person's own state directory, where nothing else is said. */
static void own_path(char path[PATH_MAX])
{
	const char *base = variable("XDG_STATE_HOME"), *home = variable("HOME");
	if (base && *base == '/')
		snprintf(path, PATH_MAX, "%s/tollgate/control.sock", base);
	else
		snprintf(path, PATH_MAX, "%s/.local/state/tollgate/control.sock", home ? home : "");
}

/* True when somebody said it; else it is only where the daemon would listen if nobody did. */
static bool find_path(const char *given, const char *file, char path[PATH_MAX])
{
	struct complaint unread = { 0 }; /* then nobody says it there */
	json_t *config = NULL;
	if (!given)
		glance(file, &config, &unread);
	const char *socket = given ? given : glance_text(config, "control_socket");
	const char *state = glance_text(config, "state_directory");
	if (socket)
		snprintf(path, PATH_MAX, "%s", socket);
	else if (state)
		snprintf(path, PATH_MAX, "%s/control.sock", state);
	else
		own_path(path);
	json_decref(config);
	return socket != NULL;
}

#define SAY(member, ...) snprintf(trouble->member, sizeof trouble->member, __VA_ARGS__)

static void explain_group(
	const char *path, const struct stat *status, struct control_trouble *trouble)
{
	const struct group *group = getgrgid(status->st_gid);
	const struct passwd *self = getpwuid(geteuid());
	char number[24];
	snprintf(number, sizeof number, "%u", (unsigned)status->st_gid);
	const char *name = group ? group->gr_name : number;
	SAY(what, "%s is for the group %s", path, name);
	SAY(mend, "become a member (usermod -aG %s %s) and log in again", name,
		self ? self->pw_name : "USER");
}

/* What stands in the way is the socket, or when that cannot be seen, its directory. */
static void explain_permission(const char *path, struct control_trouble *trouble)
{
	char directory[PATH_MAX];
	struct stat status;
	const char *slash = strrchr(path, '/');
	snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	mode_t needed = S_IWGRP;
	int error = stat(path, &status);
	if (error) {
		needed = S_IXGRP;
		error = stat(directory, &status);
	}
	if (!error && status.st_mode & needed) {
		explain_group(path, &status, trouble);
		return;
	}
	SAY(what, "%s is for its owner alone", path);
	SAY(mend, "the daemon's settings control_group and control_socket can let a group in");
}

static int explain(const char *path, int error, struct control_trouble *trouble)
{
	static const char start[] = "start it with tollgate serve";
	*trouble = (struct control_trouble){ 0 };
	if (error == -ENOENT || error == -ENOTDIR) {
		SAY(what, "the daemon is not running (there is no %s)", path);
		SAY(mend, "%s", start);
	} else if (error == -ECONNREFUSED) {
		SAY(what, "the daemon is not running (nobody listens at %s any more)", path);
		SAY(mend, "%s", start);
	} else if (error == -EACCES || error == -EPERM) {
		explain_permission(path, trouble);
	} else if (error == -EAGAIN) {
		SAY(what, "the daemon has too many questions to answer at %s", path);
		SAY(mend, "try again");
	} else {
		SAY(what, "the daemon cannot be reached at %s: %s", path, strerror(-error));
	}
	return error;
}

static int open_place(const char *path, struct unix_place *ret_place)
{
	struct unix_place place;
	int error = unix_place_open(path, &place);
	if (error)
		return error;
	int fd = unix_place_connect(&place, WAIT_MS);
	if (fd < 0) {
		unix_place_close(&place);
		return fd;
	}
	close(fd);
	*ret_place = place;
	return 0;
}

int control_socket_find(const char *given, const char *config, struct unix_place *ret_place,
	struct control_trouble *trouble)
{
	char found[PATH_MAX];
	if (find_path(given, config, found)) {
		int error = open_place(found, ret_place);
		return error ? explain(found, error, trouble) : 0;
	}
	int own = open_place(found, ret_place);
	int error = own ? open_place(service_socket, ret_place) : 0;
	if (error != -ENOENT)
		return error ? explain(service_socket, error, trouble) : 0;
	explain(found, own, trouble);
	if (own == -ENOENT)
		SAY(what, "the daemon is not running (there is neither %s nor %s)", found,
			service_socket);
	return own;
}

int control_socket_open(const char *given, struct unix_place *ret_place)
{
	struct control_trouble trouble;
	int error = control_socket_find(given, NULL, ret_place, &trouble);
	if (error)
		fprintf(stderr, "tollgate: %s%s%s\n", trouble.what, *trouble.mend ? "; " : "",
			trouble.mend);
	return error;
}
