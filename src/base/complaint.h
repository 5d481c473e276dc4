/* Words for a person who has to mend something: which file and line, and what to write instead. */
#ifndef TG_BASE_COMPLAINT_H
#define TG_BASE_COMPLAINT_H

struct complaint {
	char file[256]; /* empty when the cause is no file (an environment variable, a flag) */
	int line;       /* 0 when unknown */
	char text[512];
};

/* Sets the text and returns -EINVAL, so that a check can end with it. The first complaint stays. */
int complain(struct complaint *complaint, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
