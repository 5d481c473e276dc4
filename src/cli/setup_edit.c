#include "cli/setup_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

enum { SETTINGS_MAX_BYTES = 1 << 20, OUTPUT_MAX_BYTES = 8 << 20, NEW_FILE_MODE = 0600 };

static const char backup_suffix[] = ".before-tollgate";

static void name_file(const struct setup_edit *edit, struct complaint *complaint)
{
	snprintf(complaint->file, sizeof complaint->file, "%.*s", (int)sizeof complaint->file - 1,
		edit->path);
}

static int complain_of(
	const struct setup_edit *edit, struct complaint *complaint, const char *what, int error)
{
	name_file(edit, complaint);
	return complain(complaint, "%s: %s", what,
		error == -E2BIG ? "larger than 1 MiB" : strerror(-error));
}

static void directory_of(const char *path, char directory[TOOL_PATH_MAX])
{
	snprintf(directory, TOOL_PATH_MAX, "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = '\0';
}

/* ---- what there is ---- */

/* A link that leads to nothing is not made into something. */
static int find_target(struct setup_edit *edit, struct complaint *complaint)
{
	struct stat status;
	char *target = realpath(edit->path, NULL);
	edit->is_there = target != NULL;
	if (target && strlen(target) >= TOOL_PATH_MAX)
		errno = ENAMETOOLONG;
	else if (target)
		strcpy(edit->target, target);
	else if (errno == ENOENT && lstat(edit->path, &status) < 0)
		strcpy(edit->target, edit->path);
	else
		edit->target[0] = '\0';
	free(target);
	if (!edit->target[0])
		return complain_of(edit, complaint, "it cannot be followed", -errno);
	if (!edit->is_there)
		return 0;
	if (stat(edit->target, &status) < 0)
		return complain_of(edit, complaint, "it cannot be looked at", -errno);
	edit->mode = status.st_mode & 07777;
	return S_ISREG(status.st_mode) ? 0 : complain_of(edit, complaint, "no file", -EINVAL);
}

int setup_edit_open(struct setup_edit *edit, const struct tool *tool, const struct home *home,
	const struct tool_file *file, const struct setup_record *record,
	struct complaint *complaint)
{
	*edit = (struct setup_edit){ .tool = tool, .file = file, .mode = NEW_FILE_MODE };
	buf_init(&edit->before, SETTINGS_MAX_BYTES, NULL);
	buf_init(&edit->after, OUTPUT_MAX_BYTES, NULL);
	int error = tool_path(tool, home, file, edit->path);
	int len = snprintf(edit->backup, sizeof edit->backup, "%s%s", edit->path, backup_suffix);
	if (error || len >= (int)sizeof edit->backup)
		return complain_of(edit, complaint, "its path", -ENAMETOOLONG);
	error = find_target(edit, complaint);
	if (error)
		return error;
	error = edit->is_there ? file_read(edit->target, &edit->before) : 0;
	edit->has_backup = access(edit->backup, F_OK) == 0;
	edit->is_known = setup_record_find(record, edit->path, &edit->mark);
	return error ? complain_of(edit, complaint, "it cannot be read", error) : 0;
}

void setup_edit_close(struct setup_edit *edit)
{
	buf_done(&edit->before);
	buf_done(&edit->after);
}

/* ---- what there shall be ---- */

int setup_edit_plan(struct setup_edit *edit, const struct wish *wish, struct complaint *complaint)
{
	int error = edit->file->add(wish, buf_bytes(&edit->before), &edit->after, complaint);
	name_file(edit, complaint);
	edit->is_deletion = !error && edit->before.len && !edit->after.len;
	return error < 0 && !complaint->text[0] ?
		complain_of(edit, complaint, "it cannot be edited", error) :
		error;
}

/* Whether nobody changed it since it was written. */
static bool is_as_written(const struct setup_edit *edit)
{
	char hash[SETUP_HASH_MAX];
	setup_hash(buf_bytes(&edit->before), hash);
	return edit->is_known && hash[0] && strcmp(hash, edit->mark.sha256) == 0;
}

static int plan_removal(struct setup_edit *edit, struct bytes backup, struct complaint *complaint)
{
	if (!is_as_written(edit) || (!edit->has_backup && !edit->mark.is_made))
		return edit->file->remove(edit->is_known ? edit->mark.url : NULL,
			buf_bytes(&edit->before), backup, &edit->after, complaint);
	buf_append(&edit->after, backup.at, backup.len);
	return edit->after.error;
}

int setup_edit_plan_removal(struct setup_edit *edit, struct complaint *complaint)
{
	struct buf backup;
	bool is_ours = edit->is_known || edit->has_backup;
	buf_init(&backup, SETTINGS_MAX_BYTES, NULL);
	int error = edit->has_backup ? file_read(edit->backup, &backup) : 0;
	if (!error && is_ours)
		error = plan_removal(edit, buf_bytes(&backup), complaint);
	else if (!error)
		buf_append(&edit->after, edit->before.at, edit->before.len);
	name_file(edit, complaint);
	edit->is_deletion = is_ours && edit->is_there && !edit->after.len && !edit->has_backup;
	buf_done(&backup);
	return error < 0 && !complaint->text[0] ?
		complain_of(edit, complaint, "what it said before cannot be put back", error) :
		error;
}

bool setup_edit_has_change(const struct setup_edit *edit)
{
	return !bytes_equal(buf_bytes(&edit->before), buf_bytes(&edit->after)) || edit->is_deletion;
}

/* ---- writing ---- */

/* Root may write everything, and yet leaves alone what nobody shall write. */
static bool is_read_only(const struct setup_edit *edit)
{
	char directory[TOOL_PATH_MAX];
	directory_of(edit->target, directory);
	return (edit->is_there && (!(edit->mode & 0222) || access(edit->target, W_OK) < 0)) ||
		directory_check(directory) < 0;
}

int setup_edit_check(const struct setup_edit *edit, struct complaint *complaint)
{
	char beside[TOOL_PATH_MAX + 8];
	name_file(edit, complaint);
	snprintf(beside, sizeof beside, "%s.new", edit->target);
	if (is_read_only(edit))
		return complain(complaint,
			"%s is read-only, so it is managed elsewhere: put there what the lines above have",
			edit->target);
	if (access(beside, F_OK) == 0)
		return complain(complaint, "%s is in the way: move it elsewhere", beside);
	return 0;
}

static int make_directory(struct setup_edit *edit)
{
	char directory[TOOL_PATH_MAX];
	directory_of(edit->target, directory);
	if (mkdir(directory, 0755) == 0)
		edit->mark.is_directory_made = true;
	return errno == EEXIST || edit->mark.is_directory_made ? 0 : -errno;
}

static int keep_before(struct setup_edit *edit)
{
	if (!edit->is_there || edit->has_backup || edit->mark.is_made)
		return 0;
	return file_replace(edit->backup, buf_bytes(&edit->before), edit->mode);
}

/* A file that was changed by somebody since, or first by an unknown one, is never put back as a whole. */
static int keep_mark(struct setup_edit *edit, struct setup_record *record, const char *url)
{
	bool is_whole = edit->is_known ? is_as_written(edit) : !edit->has_backup;
	edit->mark.sha256[0] = '\0';
	if (is_whole)
		setup_hash(buf_bytes(&edit->after), edit->mark.sha256);
	edit->mark.url = url;
	return setup_record_put(record, edit->path, &edit->mark);
}

static int write_after(const struct setup_edit *edit)
{
	if (edit->is_deletion)
		return unlink(edit->target) < 0 ? -errno : 0;
	return file_replace(edit->target, buf_bytes(&edit->after), edit->mode);
}

int setup_edit_apply(struct setup_edit *edit, struct setup_record *record, const char *url,
	struct complaint *complaint)
{
	if (!edit->is_known)
		edit->mark = (struct setup_mark){ .is_made = !edit->is_there };
	int error = edit->is_there ? 0 : make_directory(edit);
	if (!error)
		error = keep_before(edit);
	if (!error)
		error = keep_mark(edit, record, url);
	if (!error)
		error = write_after(edit);
	return error ? complain_of(edit, complaint, "it cannot be written", error) : 0;
}

/* Whoever deleted the file since may want what it said before. */
static int forget(struct setup_edit *edit, struct setup_record *record)
{
	char directory[TOOL_PATH_MAX];
	bool is_put_back = edit->is_there || setup_edit_has_change(edit);
	if (edit->has_backup && is_put_back && unlink(edit->backup) < 0)
		return -errno;
	directory_of(edit->target, directory);
	if (edit->is_deletion && edit->is_known && edit->mark.is_directory_made)
		rmdir(directory); /* unless there is something else by now */
	return edit->is_known ? setup_record_put(record, edit->path, NULL) : 0;
}

int setup_edit_undo(
	struct setup_edit *edit, struct setup_record *record, struct complaint *complaint)
{
	int error = setup_edit_has_change(edit) ? write_after(edit) : 0;
	if (!error)
		error = forget(edit, record);
	return error ?
		complain_of(edit, complaint, "what it said before cannot be put back", error) :
		0;
}
