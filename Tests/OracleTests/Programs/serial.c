// The serial port's registers, as far as nobody types: what they hold after reset, take and give back.
#include "runtime.h"

static void show(const char *name) {
  u64 all = 0;
  // Without the receiver, and the divisor in its place when it shows.
  for (int i = 1; i < 8; i++) all = all << 8 | read8(UART + i);
  line(name, all);
}

void program(u64 hart) {
  show("at first");
  for (int i = 0; i < 256; i += 17) {
    write8(UART + 7, i);
    write8(UART + 1, i);
    write8(UART + 3, i & 0x7f);
    write8(UART + 4, i & 0x0f);
    show("written");
  }
  write8(UART + 1, 0);
  write8(UART + 3, 0x83);
  write8(UART, 0x12);
  write8(UART + 1, 0x34);
  line2("divisor", read8(UART), read8(UART + 1));
  write8(UART + 3, 3);
  line2("no divisor", read8(UART), read8(UART + 1));
  write8(UART + 2, 7);
  show("queues on");
  write8(UART + 1, 2);
  line("empty", read8(UART + 2));
  line("again", read8(UART + 2));
  write8(UART + 1, 0);
  write8(UART + 2, 0);
  show("queues off");
  // In loopback what is sent comes back.
  write8(UART + 4, 0x1f);
  u64 status = read8(UART + 6);
  write8(UART, 'x');
  u64 ready = read8(UART + 5), byte = read8(UART), then = read8(UART + 5);
  write8(UART + 4, 0);
  line2("loop", status, ready);
  line2("looped", byte, then);
  write8(UART + 5, 0);
  write8(UART + 6, 0);
  show("at last");
}
