#include "cfsrlinux.h"
#include <unistd.h>

char *const *cfsr_environment(void) { return environ; }
int cfsr_cpu_count(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }

static char *const *own_arguments;
static int own_argument_count;

__attribute__((constructor)) static void note_arguments(int count, char **arguments) {
  own_arguments = arguments;
  own_argument_count = count;
}

char *const *cfsr_arguments(int *count) {
  *count = own_argument_count;
  return own_arguments;
}
