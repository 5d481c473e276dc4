#include "synthesizer.h"
