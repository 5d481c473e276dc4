/* Whether the daemon runs and can be asked, who is in its place, and what its listener shows. */
#include "doctor/doctor.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor/port.h"
#include "http/certificate.h"
#include "http/listen.h"

enum { DATE_BYTES = 32, DAY_S = 86400, NS_PER_S = 1000000000 };

/* ---- the certificate ---- */

/* Of the daemon that runs, else of the file that a start would read. False: there is none. */
static bool find_end(const struct patient *patient, int64_t *ret_ends_s)
{
	const json_t *shown = json_object_get(patient->status, "certificate_ends_ns");
	const struct config *config = patient->startup.config;
	struct http_certificate *certificate = NULL;
	struct complaint complaint = { 0 };
	if (json_is_integer(shown))
		*ret_ends_s = json_integer_value(shown) / NS_PER_S;
	if (patient->status || !config || !config->tls.certificate_file)
		return json_is_integer(shown);
	if (http_certificate_new(config->tls.certificate_file, config->tls.key_file, &certificate,
		    &complaint) < 0)
		return false;
	*ret_ends_s = http_certificate_ends(certificate);
	http_certificate_free(certificate);
	return true;
}

static void check_certificate(const struct patient *patient, struct findings *findings)
{
	int64_t ends_s, now_s = (int64_t)(clock_unix_ns() / NS_PER_S);
	char date[DATE_BYTES];
	struct tm utc;
	if (!find_end(patient, &ends_s) || ends_s - now_s >= HTTP_CERTIFICATE_OLD_S)
		return;
	strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&(time_t){ ends_s }, &utc));
	if (ends_s <= now_s)
		findings_add(findings, FINDING_OWN_CERTIFICATE_ENDED, patient->url, NULL,
			"the certificate ended on %s", date);
	else
		findings_add(findings, FINDING_OWN_CERTIFICATE_ENDS, patient->url, NULL,
			"the certificate ends on %s, in %lld days", date,
			(long long)(ends_s - now_s) / DAY_S);
}

/* ---- who is in the daemon's place ---- */

static const char *user_name(uid_t user, char number[24])
{
	const struct passwd *found = getpwuid(user);
	snprintf(number, 24, "%u", (unsigned)user);
	return found ? found->pw_name : number;
}

static void tell_down(const struct patient *patient, const char *why, struct findings *findings)
{
	findings_add(findings, FINDING_DAEMON_DOWN, patient->url, NULL, "%s%s%s",
		patient->control_what, *why ? "; a start would fail: " : "", why);
}

static void tell_taken(const struct patient *patient, const char *listen, struct findings *findings)
{
	struct port_owner owner;
	const char *port = strrchr(listen, ':') + 1;
	char number[24], mend[256];
	int error = port_owner_find((unsigned)strtoul(port, NULL, 10), &owner);
	if (error) {
		findings_add(findings, FINDING_PORT_TAKEN, listen, NULL,
			"something that cannot be seen from here listens at %s", listen);
	} else if (owner.process == 1) { /* the service manager holds it for the daemon */
		tell_down(patient, "", findings);
	} else if (!owner.process) {
		snprintf(mend, sizeof mend,
			"sudo ss -ltnp 'sport = :%s' says which program it is: stop it, or choose "
			"another port with the setting listen",
			port);
		findings_add(findings, FINDING_PORT_TAKEN, listen, mend,
			"a program of the user %s listens at %s", user_name(owner.user, number),
			listen);
	} else if (strcmp(owner.program, "tollgate") == 0) {
		findings_add(findings, FINDING_PORT_TAKEN, listen,
			"tollgate doctor --socket PATH, with the control_socket of that daemon; or "
			"stop it",
			"another daemon of Tollgate (process %d of the user %s) listens at %s",
			(int)owner.process, user_name(owner.user, number), listen);
	} else {
		findings_add(findings, FINDING_PORT_TAKEN, listen, NULL,
			"%s (process %d of the user %s) listens at %s", owner.program,
			(int)owner.process, user_name(owner.user, number), listen);
	}
}

/* What is wrong with a start that would stumble over something is another finding. */
static void check_absent(const struct patient *patient, struct findings *findings)
{
	const struct config *config = patient->startup.config;
	struct complaint complaint = { 0 };
	int fd;
	if (is_for_the_service(patient))
		tell_down(patient, "", findings);
	if (!config || startup_check(config, &complaint) < 0)
		return;
	int error = http_listen(config->listen, &fd, &complaint);
	if (!error)
		close(fd);
	if (error == -EADDRINUSE)
		tell_taken(patient, config->listen, findings);
	else
		tell_down(patient, complaint.text, findings);
}

void check_doors(const struct patient *patient, struct findings *findings)
{
	check_certificate(patient, findings);
	const char *what = patient->control_what, *mend = patient->control_mend;
	int error = patient->control_error;
	if (!daemon_runs(patient))
		check_absent(patient, findings);
	else if (error == -EACCES || error == -EPERM)
		findings_add(findings, FINDING_CONTROL_DENIED, patient->url, mend, "%s", what);
	else if (error)
		findings_add(findings, FINDING_DAEMON_DOWN, patient->url,
			mend ? mend : "Look at its log, then restart it.", "%s", what);
}
