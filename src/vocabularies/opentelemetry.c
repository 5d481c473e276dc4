/* What OpenTelemetry's general conventions say of any span and its resource. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ "enduser.id", FACT_USER },
	{ "deployment.environment.name", FACT_ENVIRONMENT },
	{ "deployment.environment", FACT_ENVIRONMENT },
	{ "service.name", FACT_SERVICE_NAME },
	{ "service.version", FACT_SERVICE_VERSION },
	{ "error.message", FACT_ERROR_MESSAGE },
	{ "error.type", FACT_ERROR_TYPE },
	{ "exception.type", FACT_ERROR_TYPE },
	{ 0 },
};

const struct vocabulary vocabulary_opentelemetry = {
	.name = "opentelemetry",
	.words = words,
};
