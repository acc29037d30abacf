#include "cfsrlinux.h"
#include "answer.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (O_CLOEXEC | O_NONBLOCK)

int cfsr_userfault_open(int user_mode_only) {
  ANSWER(syscall(SYS_userfaultfd, FLAGS | (user_mode_only ? UFFD_USER_MODE_ONLY : 0)));
}

int cfsr_userfault_open_device(int device) { ANSWER(ioctl(device, USERFAULTFD_IOC_NEW, FLAGS)); }

int cfsr_userfault_api(int fd, uint64_t features) {
  struct uffdio_api api = {.api = UFFD_API, .features = features};
  ANSWER(ioctl(fd, UFFDIO_API, &api));
}

int cfsr_userfault_register(int fd, const void *start, uint64_t length) {
  struct uffdio_register r = {
    .range = {.start = (uintptr_t)start, .len = length},
    .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR};
  return ioctl(fd, UFFDIO_REGISTER, &r) < 0 ? -errno : 0;
}

int cfsr_userfault_unregister(int fd, const void *start, uint64_t length) {
  struct uffdio_range r = {.start = (uintptr_t)start, .len = length};
  ANSWER(ioctl(fd, UFFDIO_UNREGISTER, &r));
}

int cfsr_userfault_continue(int fd, const void *start, uint64_t length, int64_t *mapped) {
  struct uffdio_continue r = {.range = {.start = (uintptr_t)start, .len = length}};
  int failed = ioctl(fd, UFFDIO_CONTINUE, &r) < 0;
  *mapped = r.mapped;
  return failed ? -errno : 0;
}

int cfsr_userfault_zero(int fd, const void *start, uint64_t length) {
  struct uffdio_zeropage r = {.range = {.start = (uintptr_t)start, .len = length}};
  return ioctl(fd, UFFDIO_ZEROPAGE, &r) < 0 ? -errno : 0;
}

int cfsr_userfault_copy(int fd, const void *start, const void *source, uint64_t length) {
  struct uffdio_copy r = {.dst = (uintptr_t)start, .src = (uintptr_t)source, .len = length};
  return ioctl(fd, UFFDIO_COPY, &r) < 0 ? -errno : 0;
}

int cfsr_userfault_wake(int fd, const void *start, uint64_t length) {
  struct uffdio_range r = {.start = (uintptr_t)start, .len = length};
  ANSWER(ioctl(fd, UFFDIO_WAKE, &r));
}

int cfsr_userfault_read(int fd, struct cfsr_fault *faults, int limit) {
  struct uffd_msg messages[CFSR_FAULTS_AT_ONCE];
  if (limit > CFSR_FAULTS_AT_ONCE) limit = CFSR_FAULTS_AT_ONCE;
  ssize_t r;
  do r = read(fd, messages, sizeof messages[0] * (size_t)limit); while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  int count = 0;
  for (size_t i = 0; i < (size_t)r / sizeof messages[0]; i++) {
    if (messages[i].event != UFFD_EVENT_PAGEFAULT) continue;
    faults[count].address = messages[i].arg.pagefault.address;
    faults[count].flags = messages[i].arg.pagefault.flags;
    count++;
  }
  return count;
}
