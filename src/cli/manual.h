/*
 * The documentation that `tollgate manual` prints, each to stdout: made of the tables that the program itself goes
 * by, and of the texts in man/, in which a line with @PART stands for what a table says.
 */
#ifndef TG_CLI_MANUAL_H
#define TG_CLI_MANUAL_H

#include "base/bytes.h"

/* Made of man/NAME.text. */
extern const char text_tollgate_1[], text_tollgate_json_5[], text_tollgate_bash[];

/* Manual pages for man(7). */
void manual_tollgate(void);
void manual_tollgate_json(void);

void manual_completion(void);

/* Tables of markdown. */
void manual_settings(void);
void manual_findings(void);

#endif
