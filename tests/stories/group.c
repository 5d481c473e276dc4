/*
 * A daemon that runs as a service: its files are its own, and the commands reach it over the control
 * socket, which a group may use. Needs root, to be the service and two persons.
 */
#include <criterion/criterion.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "support/daemon.h"

/* Numbers that nobody has: neither needs a name. */
enum { SERVICE_ID = 64731, MEMBER_ID = 64732, STRANGER_ID = 64733 };
enum { PATIENCE_MS = 20000, WORDS_MAX = 8 };

static char directory[SCRATCH_PATH_MAX];
static char state_directory[SCRATCH_PATH_MAX + 64], control_socket[SCRATCH_PATH_MAX + 64];
static struct group group;
static struct identity service, member, stranger;
static struct daemon gateway;

/* Any group with a name will do that no user here is in by its number. */
static bool find_group(void)
{
	setgrent();
	for (const struct group *found; (found = getgrent());)
		if (found->gr_gid) {
			group = (struct group){ .gr_name = strdup(found->gr_name),
				.gr_gid = found->gr_gid };
			break;
		}
	endgrent();
	return group.gr_name != NULL;
}

static void make_directory(const char *name, const struct identity *owner, mode_t mode)
{
	char path[SCRATCH_PATH_MAX + 64];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(chmod(path, mode), 0);
	if (owner)
		cr_assert_eq(chown(path, owner->user, owner->group), 0);
}

static void begin(void)
{
	bool is_root = geteuid() == 0;
	cr_assert_eq(scratch_make(directory), 0);
	cr_assert_eq(chmod(directory, 0711), 0);
	service = (struct identity){ SERVICE_ID, SERVICE_ID, SERVICE_ID };
	make_directory("state", is_root ? &service : NULL, 0700);
	make_directory("run", is_root ? &service : NULL, 0755);
	snprintf(state_directory, sizeof(state_directory), "%s/state", directory);
	snprintf(control_socket, sizeof(control_socket), "%s/run/tollgate/control.sock", directory);
	gateway.child.pidfd = -1;
}

static void end(void)
{
	daemon_kill(&gateway);
	free(group.gr_name);
	scratch_remove(directory);
}

/* Criterion would leave everything where it is. */
static void skip(const char *why)
{
	end();
	cr_skip_test("%s", why);
}

TestSuite(group, .init = begin, .fini = end, .timeout = 300);

static void need_several_users(void)
{
	if (geteuid() != 0)
		skip("only root can be several users");
	if (!find_group())
		skip("there is no group but root's");
	service.member_of = group.gr_gid;
	member = (struct identity){ MEMBER_ID, MEMBER_ID, group.gr_gid };
	stranger = (struct identity){ STRANGER_ID, STRANGER_ID, STRANGER_ID };
}

static int launch(int (*call)(struct daemon *daemon, const struct daemon_start *start),
	const char *socket, const char *control_group, const struct identity *identity)
{
	char state_text[sizeof(state_directory) + 32], socket_text[sizeof(control_socket) + 32];
	char group_text[128];
	snprintf(state_text, sizeof(state_text), "TOLLGATE_STATE_DIRECTORY=%s", state_directory);
	snprintf(socket_text, sizeof(socket_text), "TOLLGATE_CONTROL_SOCKET=%s", socket);
	snprintf(group_text, sizeof(group_text), "TOLLGATE_CONTROL_GROUP=%s",
		control_group ? control_group : "");
	return call(&gateway,
		&(struct daemon_start){
			.arguments = (const char *const[]){ daemon_program(), "serve", NULL },
			.environment = (const char *const[]){ state_text, socket_text,
				"TOLLGATE_LISTEN=127.0.0.1:0",
				control_group ? group_text : "TOLLGATE_LOG_LEVEL=info", NULL },
			.directory = directory,
			.identity = identity,
		});
}

static void start(const char *control_group, const struct identity *identity)
{
	int error = launch(daemon_start, control_socket, control_group, identity);
	if (error < 0)
		cr_assert_fail("the daemon does not listen: %s\n%s", strerror(-error),
			daemon_log(&gateway));
}

static void expect_not_started(
	const char *socket, const struct identity *identity, int status, const char *why)
{
	cr_assert_eq(launch(daemon_spawn, socket, group.gr_name, identity), 0);
	cr_expect_eq(child_wait(&gateway.child, PATIENCE_MS), status);
	char *log = daemon_log(&gateway);
	cr_expect(strstr(log, why), "\"%s\" is not in:\n%s", why, log);
	free(log);
}

/* Exit status of a command with --socket; what it printed, to be freed. */
static int run(const char *const *words, const struct identity *identity, char **ret_printed)
{
	const char *arguments[WORDS_MAX + 4] = { daemon_program() };
	struct daemon command;
	char place[SCRATCH_PATH_MAX];
	size_t count = 1;
	while (words[count - 1] && count <= WORDS_MAX) {
		arguments[count] = words[count - 1];
		count++;
	}
	arguments[count++] = "--socket";
	arguments[count++] = control_socket;
	cr_assert_eq(scratch_make(place), 0);
	cr_assert_eq(
		daemon_spawn(&command,
			&(struct daemon_start){
				.arguments = arguments,
				.environment = (const char *const[]){ "HOME=/nonexistent", NULL },
				.directory = place,
				.identity = identity,
			}),
		0);
	int status = child_wait(&command.child, PATIENCE_MS);
	child_kill(&command.child);
	*ret_printed = daemon_log(&command);
	scratch_remove(place);
	return status;
}

static void expect_done(const char *const *words, const struct identity *identity)
{
	char *printed;
	int status = run(words, identity, &printed);
	cr_expect_eq(status, EXIT_DONE, "tollgate %s ended with %d: %s", words[0], status, printed);
	free(printed);
}

static void expect_sent_to_the_group(const char *const *words, const struct identity *identity)
{
	char *printed, line[512];
	snprintf(line, sizeof(line),
		"tollgate: %s is for the group %s; become a member (usermod -aG %s USER) and log in again\n",
		control_socket, group.gr_name, group.gr_name);
	int status = run(words, identity, &printed);
	cr_expect_eq(status, EXIT_FAILED, "tollgate %s ended with %d", words[0], status);
	cr_expect_str_eq(printed, line);
	free(printed);
}

/* For these a daemon that cannot be asked is no end; they have stories of their own. */
static bool goes_on_without(const struct command *command)
{
	return strcmp(command->name, "doctor") == 0 || strcmp(command->name, "setup") == 0;
}

/* Every command that has the flag --socket: by itself or as it asks the daemon, and what else there is to ask. */
static void for_each_question(
	void (*expect)(const char *const *words, const struct identity *identity),
	const struct identity *identity)
{
	static const char *const dead_letters[] = { "spool", "dead", "list", NULL };
	static const char *const unknown_models[] = { "prices", "list", "--unknown", NULL };
	size_t count = 0;
	for (const struct command *const *command = commands; *command; command++) {
		bool asks = false;
		for (const struct flag *flag = (*command)->flags; flag && flag->name; flag++)
			asks |= strcmp(flag->name, "--socket") == 0;
		if (!asks || goes_on_without(*command))
			continue;
		if (strcmp((*command)->name, unknown_models[0]) == 0)
			expect(unknown_models, identity);
		else
			expect((const char *const[]){ (*command)->name, NULL }, identity);
		if (strcmp((*command)->name, dead_letters[0]) == 0)
			expect(dead_letters, identity);
		count++;
	}
	if (!count)
		skip("no command asks the daemon yet");
}

static void ask_as(void *identity)
{
	json_t *answer = NULL;
	if (identity_take(identity) < 0)
		_exit(99);
	int status = control_ask(control_socket, "GET", "/v1/status", &answer);
	_exit(status == EXIT_DONE && !json_object_get(answer, "version") ? 98 : status);
}

static int exit_status_as(struct identity *identity)
{
	struct child child;
	cr_assert_eq(child_start(&child, ask_as, identity), 0);
	int status = child_wait(&child, PATIENCE_MS);
	child_kill(&child);
	return status;
}

Test(group, a_member_is_answered_and_a_stranger_is_not)
{
	need_several_users();
	start(group.gr_name, &service);
	cr_expect_eq(exit_status_as(&service), EXIT_DONE);
	cr_expect_eq(exit_status_as(&member), EXIT_DONE);
	cr_expect_eq(exit_status_as(&stranger), EXIT_FAILED);
}

Test(group, every_command_works_for_a_member)
{
	need_several_users();
	start(group.gr_name, &service);
	for_each_question(expect_done, &member);
}

Test(group, every_command_sends_a_stranger_to_the_group_in_one_line)
{
	need_several_users();
	start(group.gr_name, &service);
	for_each_question(expect_sent_to_the_group, &stranger);
}

Test(group, who_started_the_daemon_needs_no_group)
{
	json_t *answer = NULL;
	start(NULL, NULL);
	cr_expect_eq(control_ask(control_socket, "GET", "/v1/status", &answer), EXIT_DONE);
	json_decref(answer);
}

Test(group, every_command_works_for_who_started_the_daemon)
{
	start(NULL, NULL);
	for_each_question(expect_done, NULL);
}

Test(group, a_service_that_is_no_member_is_told_to_become_one)
{
	need_several_users();
	service.member_of = SERVICE_ID;
	expect_not_started(control_socket, &service, EXIT_FAILED,
		"the daemon's own user is no member, so it cannot let the group in; make it one (usermod -aG");
}

Test(group, a_socket_in_the_state_directory_is_out_of_reach_of_the_group)
{
	char inside[sizeof(state_directory) + 32];
	need_several_users();
	snprintf(inside, sizeof(inside), "%s/control.sock", state_directory);
	expect_not_started(inside, &service, EXIT_USAGE,
		"the state directory is its owner's alone; set control_socket, such as");
}
