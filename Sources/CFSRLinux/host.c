#include "cfsrlinux.h"
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

char *const *cfsr_environment(void) { return environ; }
int cfsr_cpu_count(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
const char *cfsr_executed_file(void) { return (const char *)getauxval(AT_EXECFN); }

int cfsr_limit(enum cfsr_limit_kind kind, uint64_t *limit) {
  struct rlimit found;
  int which = kind == CFSR_LIMIT_PROCESSES ? RLIMIT_NPROC : kind == CFSR_LIMIT_STACK ? RLIMIT_STACK : RLIMIT_AS;
  if (getrlimit(which, &found) < 0 || found.rlim_cur == RLIM_INFINITY) return 0;
  *limit = found.rlim_cur;
  return 1;
}

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
