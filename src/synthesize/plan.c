#include "synthesize/plan.h"
