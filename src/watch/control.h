/*
 * The control socket: HTTP with JSON over a Unix socket, for the commands on this machine. Who may
 * connect is the file system's business (mode 0660, control_group), so a service user's daemon can be
 * asked without reading its files.
 */
#ifndef TG_WATCH_CONTROL_H
#define TG_WATCH_CONTROL_H

struct complaint;
struct control;
struct watch;

/*   watch  outlives it
 * 0, or negative errno with words in `complaint`. */
int control_start(
	const struct watch *watch, struct control **ret_control, struct complaint *complaint);

/* Waits for answers in progress, then removes the socket. NULL is fine. */
void control_stop(struct control *control);

#endif
