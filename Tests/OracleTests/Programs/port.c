// The serial port's registers, a row for each line of the data sheet's tables (PC16550D): identification, FIFO control,
// line status, modem control, also in loopback.
#include "runtime.h"

static u64 seen[8];
static int count;

#define R(number) (seen[count++] = read8(UART + (number)))
#define W(number, value) write8(UART + (number), value)

static void set_divisor(int divisor) {
  W(3, 0x83);
  W(0, divisor & 0xff);
  W(1, divisor >> 8);
  W(3, 0);
}

// The characters' time is so long that none passes in a row, whatever else the machine does.
static void fresh(void) {
  W(1, 0);
  set_divisor(0xffff);
  W(4, 8);
  W(2, 1);
  W(2, 7);
  W(2, 0);
  read8(UART + 5);
  read8(UART + 2);
  count = 0;
}

// The port prints as it did before.
static void show(const char *name) {
  W(1, 0);
  W(3, 0);
  W(4, 8);
  print(name);
  for (int i = 0; i < count; i++) {
    print(" ");
    print_hex(seen[i]);
  }
  print("\n");
}

static void receive(int bytes) {
  while (bytes--) W(0, 'a');
}

// So short that four of them pass while it waits: a FIFO then tells of fewer bytes than its trigger level.
static void quick(void) {
  fresh();
  set_divisor(1);
}

// Looking changes nothing, as only received data interrupts there. A minute is enough for whoever sees to the time.
static void wait(void) {
  u64 late = ticks() + 600000000;
  while (ticks() < late && (read8(UART + 2) & 15) != 0x0c) {}
}

static void transmitter(void) {
  fresh(); W(1, 2); R(2); R(2); show("told once");
  fresh(); W(1, 2); R(2); W(0, '-'); R(2); R(2); show("told after each byte");
  fresh(); W(1, 2); R(2); W(1, 3); R(2); W(1, 1); W(1, 3); R(2); R(2); show("told when enabled");
  fresh(); W(1, 2); R(2); W(2, 1); R(2); R(2); show("told when queues go on");
  fresh(); W(2, 1); W(1, 2); R(2); W(2, 0); R(2); R(2); show("told when queues go off");
  fresh(); W(2, 1); W(1, 2); R(2); W(2, 5); R(2); R(2); show("told when its queue is cleared");
  fresh(); W(1, 2); R(2); W(2, 4); R(2); R(2); show("told when no queue is cleared");
  fresh(); W(2, 1); W(1, 2); R(2); W(2, 3); R(2); show("not told of the other queue");
}

static void receiver(void) {
  fresh(); W(4, 0x10); W(0, 'A'); W(0, 'B'); R(5); R(5); R(0); R(5); R(0); show("the newer stays");
  fresh(); W(4, 0x10); W(0, 'A'); R(0); R(0); R(5); show("held");
  fresh(); W(4, 0x10); W(0, 'A'); W(2, 2); R(5); R(0); show("cleared without a queue");
  fresh(); W(4, 0x10); W(0, 'A'); W(2, 1); R(5); R(0); W(2, 0); R(0); show("to queues");
  fresh(); W(2, 1); W(4, 0x10); W(0, 'A'); W(0, 'B'); W(2, 0); R(5); show("from queues");
  fresh(); W(2, 1); W(4, 0x10); R(0); W(0, 'A'); R(0); R(0); show("an empty queue");
  fresh(); W(2, 1); W(4, 0x10); W(0, 'A'); W(2, 3); R(5); R(0); show("a cleared queue");
  fresh(); W(2, 1); W(4, 0x10); W(0, 'A'); W(2, 5); R(5); R(0); show("the other queue cleared");
  fresh(); W(2, 1); W(4, 0x10); receive(16); W(0, 'b'); R(5); R(5); for (int i = 0; i < 15; i++) read8(UART); R(0); R(5); R(0);
  show("the older stay");
  fresh(); W(4, 0x10); W(0, 'a'); W(4, 0); R(5); R(0); show("leaving loopback");
}

static void identification(void) {
  fresh(); W(4, 0x10); W(1, 4); W(0, 'a'); W(0, 'b'); R(2); R(5); R(2); show("overrun");
  fresh(); W(2, 1); W(4, 0x10); W(1, 4); receive(17); R(2); R(5); R(2); show("overrun of a queue");
  fresh(); W(4, 0x10); W(1, 7); W(0, 'a'); W(0, 'b'); R(2); R(5); R(2); R(0); R(2); R(2); show("in their order");
  fresh(); W(4, 0x10); W(1, 3); W(0, 'q'); R(2); R(2); R(0); R(2); R(2); show("received before sent");
  fresh(); W(2, 0x01); W(4, 0x10); W(1, 1); receive(1); R(2); R(0); R(2); show("trigger 1");
  quick(); W(2, 0x41); W(4, 0x10); W(1, 1); receive(3); wait(); R(2); show("trigger 4");
  fresh(); W(2, 0x41); W(4, 0x10); W(1, 1); receive(4); R(2); show("trigger 4 reached");
  quick(); W(2, 0x81); W(4, 0x10); W(1, 1); receive(7); wait(); R(2); show("trigger 8");
  fresh(); W(2, 0x81); W(4, 0x10); W(1, 1); receive(8); R(2); show("trigger 8 reached");
  quick(); W(2, 0xc1); W(4, 0x10); W(1, 1); receive(13); wait(); R(2); show("trigger 14");
  fresh(); W(2, 0xc1); W(4, 0x10); W(1, 1); receive(14); R(2); show("trigger 14 reached");
  quick(); W(2, 0xc1); W(4, 0x10); W(1, 1); receive(2); wait(); R(2); R(0); wait(); R(2); R(0); R(2); show("timeout");
  quick(); W(2, 0xc1); W(4, 0x10); W(1, 1); receive(1); wait(); R(2); W(2, 0xc3); R(2); R(5); show("timeout and reset");
  quick(); W(2, 0xc1); W(4, 0x10); receive(1); wait(); W(1, 1); R(2); W(1, 0); R(2); show("timeout not enabled");
  fresh(); W(2, 0xc0); W(2, 1); W(4, 0x10); W(1, 1); receive(1); R(2); show("a trigger without queues");
  fresh(); W(2, 0xff); R(2); W(2, 0x3e); R(2); W(2, 0x09); R(2); show("queues are said");
}

static void others(void) {
  fresh(); W(4, 0x1f); R(6); R(6); W(4, 0x10); R(6); R(6); W(4, 0x1a); R(6); W(4, 0x15); R(6); show("modem in loopback");
  fresh(); W(1, 8); W(4, 0x1f); R(2); R(6); W(4, 0x10); R(2); R(6); W(4, 8); R(2); R(6); show("modem interrupts");
  fresh(); W(3, 0x43); W(4, 0x10); R(5); R(0); W(3, 3); R(5); show("break");
  fresh(); W(3, 0x83); R(5); W(0, 0x55); R(0); W(4, 0x10); R(5); W(3, 3); W(0, 'z'); W(3, 0x83); R(5); R(0); W(3, 3); R(0);
  show("divisor");
  W(3, 0x83); W(0, 12); W(1, 0);
  fresh(); W(4, 0xff); R(4); W(1, 0xff); R(1); W(7, 0xa5); R(7); W(3, 0xff); R(3); W(3, 0x7f); R(3); show("masks");
  fresh(); W(5, 0xff); W(6, 0xff); R(5); R(6); W(2, 0xc1); R(1); R(3); R(4); R(7); show("read only");
}

void program(u64 hart) {
  transmitter();
  receiver();
  identification();
  others();
  fresh();
}
