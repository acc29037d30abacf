#include "cfsrlinux.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t cfsr_allocated_blocks(int fd) {
  struct stat s;
  return fstat(fd, &s) < 0 ? -errno : (int64_t)s.st_blocks;
}

int64_t cfsr_seek_data(int fd, uint64_t offset) {
  off_t r = lseek(fd, (off_t)offset, SEEK_DATA);
  return r < 0 ? -errno : (int64_t)r;
}

int64_t cfsr_seek_hole(int fd, uint64_t offset) {
  off_t r = lseek(fd, (off_t)offset, SEEK_HOLE);
  return r < 0 ? -errno : (int64_t)r;
}
