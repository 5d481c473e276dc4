/* MLflow: values are JSON texts, also where they are strings. */
#include "vocabularies/vocabulary.h"

static const struct word words[] = {
	{ 0 },
};

const struct vocabulary vocabulary_mlflow = {
	.name = "mlflow",
	.words = words,
};
