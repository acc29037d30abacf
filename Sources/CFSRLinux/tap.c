#include "cfsrlinux.h"
#include "answer.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int request_for(const char *name, struct ifreq *request) {
  memset(request, 0, sizeof *request);
  if (strlen(name) >= sizeof request->ifr_name) return -ENAMETOOLONG;
  strcpy(request->ifr_name, name);
  return 0;
}

int cfsr_tap_open(void) { ANSWER(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)); }

int cfsr_tap_attach(int fd, const char *name, int flags) {
  struct ifreq request;
  int r = request_for(name, &request);
  if (r < 0) return r;
  request.ifr_flags = (short)flags;
  ANSWER(ioctl(fd, TUNSETIFF, &request));
}

int cfsr_tap_identity(int fd, char name[CFSR_INTERFACE_NAME_ROOM], int *flags) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  if (ioctl(fd, TUNGETIFF, &request) < 0) return -errno;
  memcpy(name, request.ifr_name, CFSR_INTERFACE_NAME_ROOM);
  name[CFSR_INTERFACE_NAME_ROOM - 1] = 0;
  *flags = (unsigned short)request.ifr_flags;
  return 0;
}

int cfsr_tap_header_size(int fd) {
  int size = 0;
  return ioctl(fd, TUNGETVNETHDRSZ, &size) < 0 ? -errno : size;
}

int cfsr_tap_set_header_size(int fd, int size) { ANSWER(ioctl(fd, TUNSETVNETHDRSZ, &size)); }
int cfsr_tap_set_offloads(int fd, unsigned offloads) { ANSWER(ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads)); }

int cfsr_tap_accept_only(int fd, const uint8_t address[6]) {
  // A header with a list of addresses behind it, here of one.
  const struct tun_filter filter = {.flags = TUN_FLT_ALLMULTI, .count = 1};
  uint8_t wanted[sizeof filter + 6];
  memcpy(wanted, &filter, sizeof filter);
  memcpy(wanted + sizeof filter, address, 6);
  ANSWER(ioctl(fd, TUNSETTXFILTER, wanted));
}

int cfsr_tap_accept_all(int fd) {
  const struct tun_filter none = {.flags = 0, .count = 0};
  ANSWER(ioctl(fd, TUNSETTXFILTER, &none));
}

static int on_interface(const char *name, unsigned long number, int *mtu) {
  struct ifreq request;
  int r = request_for(name, &request);
  if (r < 0) return r;
  request.ifr_mtu = *mtu;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  r = ioctl(fd, number, &request) < 0 ? -errno : 0;
  close(fd);
  *mtu = request.ifr_mtu;
  return r;
}

int cfsr_interface_mtu(const char *name) {
  int mtu = 0, r = on_interface(name, SIOCGIFMTU, &mtu);
  return r < 0 ? r : mtu;
}

int cfsr_interface_set_mtu(const char *name, int mtu) { return on_interface(name, SIOCSIFMTU, &mtu); }
