#include "cfsrlinux.h"
#include <unistd.h>

char *const *cfsr_environment(void) { return environ; }
int cfsr_cpu_count(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
