#include "synthesize/span.h"
