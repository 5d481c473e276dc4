#include "synthesize/synthesis.h"
