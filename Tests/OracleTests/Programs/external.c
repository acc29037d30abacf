// The way of an interrupt from the serial port by the PLIC to a hart, and what the PLIC's registers hold.
#include "runtime.h"

#define SOURCE 10
#define PRIORITY(source) (PLIC + 4 * (source))
#define PENDING (PLIC + 0x1000)
#define ENABLE(context, word) (PLIC + 0x2000 + 0x80 * (context) + 4 * (word))
#define THRESHOLD(context) (PLIC + 0x200000 + 0x1000 * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static volatile u64 taken, claimed, read_back, cause;

// The transmitter went empty: reading the identification quiets it.
static void transmitter(struct frame *frame) {
  u64 context = 2 * hart_id();
  cause = frame->cause;
  claimed = read32(CLAIM(context));
  read_back = read8(UART + 2);
  write32(CLAIM(context), claimed);
  taken++;
}

// What came back in loopback: all of it is taken at once.
static void receiver(struct frame *frame) {
  u64 context = 2 * hart_id();
  claimed = read32(CLAIM(context));
  while (read8(UART + 5) & 1) read_back = read_back << 8 | read8(UART);
  write32(CLAIM(context), claimed);
  taken++;
}

static void wait_for(u64 count) {
  u64 late = ticks() + 20000000;
  while (taken < count && ticks() < late) {}
}

static void registers(void) {
  for (u64 source = 0; source < 96; source += 19) {
    write32(PRIORITY(source), 0xffffffff);
    line2("priority", source, read32(PRIORITY(source)));
    write32(PRIORITY(source), 5);
    line2("priority", source, read32(PRIORITY(source)));
    write32(PRIORITY(source), 0);
  }
  for (u64 context = 0; context < 4; context++) {
    write32(THRESHOLD(context), 0xa5a5a5a6);
    line2("threshold", context, read32(THRESHOLD(context)));
    write32(THRESHOLD(context), 0);
    for (u64 word = 0; word < 3; word++) {
      write32(ENABLE(context, word), 0x12345678 << word & ~1);
      line2("enable", context * 8 + word, read32(ENABLE(context, word)));
      write32(ENABLE(context, word), 0);
    }
    line2("claim of nothing", context, read32(CLAIM(context)));
  }
  TRY("byte of a priority", "lbu a5, 0(%0)", ::"r"(PRIORITY(1)) : "a5");
  TRY("half of a priority", "lhu a5, 0(%0)", ::"r"(PRIORITY(1)) : "a5");
  TRY("two priorities", "ld a5, 0(%0)", ::"r"(PRIORITY(2)) : "a5");
  TRY("byte to a priority", "sb a5, 0(%0)", ::"r"(PRIORITY(1)) : "a5");
}

// Nothing is printed while the transmitter may interrupt: QEMU takes every byte for a new request.
static void by_hand(void) {
  u64 seen[12];
  int count = 0;
  write8(UART + 1, 2);
  seen[count++] = read32(PENDING);
  seen[count++] = read32(CLAIM(0));
  write32(PRIORITY(SOURCE), 3);
  seen[count++] = read32(CLAIM(0));
  write32(ENABLE(0, 0), 1 << SOURCE);
  write32(THRESHOLD(0), 3);
  seen[count++] = csr_read(mip) & EXTERNAL;
  write32(THRESHOLD(0), 2);
  seen[count++] = csr_read(mip) & EXTERNAL;
  seen[count++] = read32(CLAIM(0));
  seen[count++] = csr_read(mip) & EXTERNAL;
  seen[count++] = read32(CLAIM(0));
  seen[count++] = read8(UART + 2);
  write32(CLAIM(0), SOURCE);
  seen[count++] = read32(PENDING);
  seen[count++] = csr_read(mip) & EXTERNAL;
  write32(THRESHOLD(0), 0);
  write8(UART + 1, 0);
  for (int i = 0; i < count; i++) line2("by hand", i, seen[i]);
}

static void by_interrupt(void) {
  on_interrupt = transmitter;
  csr_write(mie, EXTERNAL);
  csr_set(mstatus, MIE);
  write8(UART + 1, 2);
  wait_for(1);
  line2("transmitter", taken > 0, claimed);
  line2("identified", read_back, cause);
  write8(UART + 1, 0);
  csr_clear(mstatus, MIE);
  taken = read_back = 0;
  on_interrupt = receiver;
  write8(UART + 2, 7);
  write8(UART + 4, 0x10);
  csr_set(mstatus, MIE);
  write8(UART + 1, 1);
  write8(UART, 'a');
  wait_for(1);
  line2("receiver", taken, read_back);
  write8(UART + 1, 0);
  write8(UART + 4, 8);
  csr_clear(mstatus, MIE);
}

static void transports(void) {
  for (u64 slot = 0; slot < 8; slot++) {
    u64 base = 0x10001000 + slot * 0x1000;
    line2("virtio", read32(base), read32(base + 4));
    line2("device", read32(base + 8), read32(base + 12));
    write32(base + 0x70, 1);
    line2("status", read32(base + 0x70), read32(base + 0x60));
    line2("parts", read8(base), read32(base + 0x100));
  }
}

void program(u64 hart) {
  if (hart == 0) {
    registers();
    by_hand();
    by_interrupt();
    transports();
  }
  barrier(2);
  // The other hart is interrupted by its own context.
  if (hart == 1) {
    taken = 0;
    on_interrupt = transmitter;
    write32(ENABLE(0, 0), 0);
    write32(ENABLE(2, 0), 1 << SOURCE);
    csr_write(mie, EXTERNAL);
    csr_set(mstatus, MIE);
    write8(UART + 1, 2);
    wait_for(1);
    write8(UART + 1, 0);
    csr_clear(mstatus, MIE);
    line2("the other hart", taken > 0, claimed);
  }
  barrier(2);
}
