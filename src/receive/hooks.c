#include "receive/hooks.h"
