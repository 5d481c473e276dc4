/*
 * The control socket: HTTP with JSON over a Unix socket, for the commands on this machine. Who may
 * connect is the file system's business (mode 0660, control_group), so a service user's daemon can be
 * asked without reading its files.
 *
 * Whoever may connect is still not trusted with the daemon: connections, questions and answers in memory
 * are bounded here, and the doors have threads of their own. Views run in threads of this module's, not
 * in those that watch the connections, so that a slow one delays nobody's bytes.
 */
#ifndef TG_WATCH_CONTROL_H
#define TG_WATCH_CONTROL_H

struct complaint;
struct control;
struct watch;

/*
 *   watch  outlives it
 *
 * 0, or negative errno with words in `complaint`.
 */
int control_start(
	const struct watch *watch, struct control **ret_control, struct complaint *complaint);

/* Closes connections that take too long; call it each second. */
void control_tick(struct control *control);

/* Removes the socket, then waits for answers in progress. NULL is fine. */
void control_stop(struct control *control);

#endif
