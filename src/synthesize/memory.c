#include "synthesize/memory.h"
