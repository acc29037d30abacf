#include "cfsrtestlinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cfsrtest_ring(void) {
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  long r = syscall(SYS_io_uring_setup, 4, &parameters);
  return r < 0 ? -errno : (int)r;
}

int cfsrtest_machine(void) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) return -errno;
  int r = ioctl(kvm, KVM_CREATE_VM, 0);
  r = r < 0 ? -errno : r;
  close(kvm);
  return r;
}

int cfsrtest_vcpu(int machine) {
  int r = ioctl(machine, KVM_CREATE_VCPU, 0);
  return r < 0 ? -errno : r;
}
