#include "cfsrlinux.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ANSWER(expression) do { long r_ = (long)(expression); return r_ < 0 ? -errno : (int)r_; } while (0)

int cfsr_memfd_create(const char *name, unsigned flags) { ANSWER(memfd_create(name, flags)); }
int cfsr_add_seals(int fd, int seals) { ANSWER(fcntl(fd, F_ADD_SEALS, seals)); }
int cfsr_get_seals(int fd) { ANSWER(fcntl(fd, F_GET_SEALS)); }
int cfsr_unmap(void *address, size_t length) { ANSWER(munmap(address, length)); }
int cfsr_advise(void *address, size_t length, int advice) { ANSWER(madvise(address, length, advice)); }
int cfsr_lock_memory(void *address, size_t length) { ANSWER(mlock(address, length)); }
int cfsr_unlock_memory(void *address, size_t length) { ANSWER(munlock(address, length)); }
int cfsr_truncate(int fd, uint64_t length) { ANSWER(ftruncate(fd, (off_t)length)); }

int cfsr_allocate(int fd, uint64_t offset, uint64_t length) {
  int r = posix_fallocate(fd, (off_t)offset, (off_t)length);
  return -r;
}

int cfsr_punch(int fd, uint64_t offset, uint64_t length) {
  ANSWER(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length));
}

int cfsr_map(int fd, uint64_t offset, size_t length, int writable, int populate, void **address) {
  int flags = (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_NORESERVE | (populate ? MAP_POPULATE : 0);
  void *p = mmap(NULL, length, PROT_READ | (writable ? PROT_WRITE : 0), flags, fd, (off_t)offset);
  if (p == MAP_FAILED) return -errno;
  *address = p;
  return 0;
}

int cfsr_close(int fd) { ANSWER(close(fd)); }
int cfsr_duplicate(int fd, int lowest) { ANSWER(fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }

int64_t cfsr_read(int fd, void *bytes, size_t length) {
  ssize_t r;
  do r = read(fd, bytes, length); while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r;
}

int64_t cfsr_write(int fd, const void *bytes, size_t length) {
  ssize_t r;
  do r = write(fd, bytes, length); while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r;
}
