// Software and timer interrupts of one hart: pending, enabled, taken, nested, in order, direct and vectored, and wfi.
#include "runtime.h"

static volatile u64 taken, order;
// Counted by the vectors below.
volatile u64 hits[16];

static void set_software(u32 value) { write32(CLINT, value); }
static void set_timer(u64 ticks) { write64(CLINT + 0x4000, ticks); }
static void never(void) { set_timer(~0ul); }

static void note(struct frame *frame) {
  taken++;
  order = order << 4 | (frame->cause & 15);
  line("  took", frame->cause);
  line2("  value, status", frame->value, frame->status & (MIE | MPIE));
  if (frame->cause == (INTERRUPT | 3)) set_software(0);
  if (frame->cause == (INTERRUPT | 7)) never();
}

static void show(const char *name) {
  line2(name, taken, order);
  line("  mip", csr_read(mip) & (SOFTWARE | TIMER | EXTERNAL));
  line("  mstatus", csr_read(mstatus) & (MIE | MPIE));
  taken = order = 0;
}

// The handler may come some instructions after an interrupt is made, but not this many.
static void settle(void) {
  for (volatile int i = 0; i < 20000; i++) {}
}

static void show_software(void) {
  csr_write(mie, SOFTWARE);
  set_software(1);
  settle();
  show("pending, not on");
  csr_set(mstatus, MIE);
  settle();
  show("taken as it is on");
  set_software(1);
  settle();
  show("taken when on");
  csr_write(mie, 0);
  set_software(1);
  settle();
  show("not enabled");
  csr_set(mie, SOFTWARE);
  settle();
  show("taken as it is enabled");
  set_software(0xfffffffe);
  settle();
  show("only bit 0 counts");
  line("msip", read32(CLINT));
  csr_clear(mstatus, MIE);
}

static void show_timer(void) {
  csr_write(mie, TIMER);
  set_timer(0);
  settle();
  show("timer pending, not on");
  csr_set(mstatus, MIE);
  settle();
  show("timer taken");
  set_timer(ticks() + 20000);
  while (!taken) {}
  show("timer taken in a loop");
  u64 due = ticks() + 20000;
  set_timer(due);
  sleep_until(&taken, 1);
  line("waited long enough", ticks() >= due);
  show("timer taken in wfi");
  csr_clear(mstatus, MIE);
  due = ticks() + 20000;
  set_timer(due);
  __asm__ volatile("wfi");
  line("waited long enough", ticks() >= due);
  show("wfi ends without a trap");
  never();
  csr_set(mstatus, MIE);
  settle();
  show("not due any more");
  write32(CLINT + 0x4000, 0);
  line("half of mtimecmp", read64(CLINT + 0x4000));
  write32(CLINT + 0x4004, 0);
  settle();
  show("due by halves");
  csr_clear(mstatus, MIE);
}

static void show_order(void) {
  csr_write(mie, SOFTWARE | TIMER);
  set_timer(0);
  set_software(1);
  settle();
  show("both pending");
  csr_set(mstatus, MIE);
  settle();
  show("software before timer");
  csr_clear(mstatus, MIE);
}

static void nested(struct frame *frame) {
  note(frame);
  if (frame->cause == (INTERRUPT | 7)) {
    // A software interrupt and an exception inside the timer's handler.
    csr_set(mstatus, MIE);
    set_software(1);
    settle();
    TRY("  ecall inside", "ecall", ::: "memory");
    csr_clear(mstatus, MIE);
    line("  mstatus inside", csr_read(mstatus) & (MIE | MPIE));
  }
}

static void show_nested(void) {
  on_interrupt = nested;
  csr_write(mie, SOFTWARE | TIMER);
  csr_set(mstatus, MIE);
  set_timer(0);
  settle();
  show("nested");
  csr_clear(mstatus, MIE);
  on_interrupt = note;
}

// Sixteen entries of 4 bytes; each counts itself, withdraws both interrupts and returns behind an exception.
__asm__(
    ".text\n.option push\n.option norvc\n.balign 64\nvectors:\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\nj entry\\n\n.endr\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "entry\\n:\naddi sp, sp, -16\nsd t0, 0(sp)\nli t0, \\n * 8\nj vectored\n.endr\n"
    "vectored:\nsd t1, 8(sp)\nla t1, hits\nadd t1, t1, t0\nld t0, 0(t1)\naddi t0, t0, 1\nsd t0, 0(t1)\n"
    "csrr t0, mcause\nbltz t0, 1f\ncsrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\n"
    "1:\nli t0, 0x2000000\nsw zero, 0(t0)\nli t0, 0x2004000\nli t1, -1\nsd t1, 0(t0)\n"
    "ld t0, 0(sp)\nld t1, 8(sp)\naddi sp, sp, 16\nmret\n.option pop\n");
extern char vectors[];

static void show_vectored(void) {
  u64 direct = csr_read(mtvec);
  csr_write(mtvec, (u64)vectors | 1);
  csr_write(mie, SOFTWARE | TIMER);
  csr_set(mstatus, MIE);
  set_software(1);
  settle();
  set_timer(0);
  settle();
  __asm__ volatile(".option push; .option norvc; ecall; ecall; ebreak; .option pop" ::: "memory");
  csr_clear(mstatus, MIE);
  csr_write(mtvec, direct);
  for (int i = 0; i < 16; i++) line("hits", hits[i]);
}

void program(u64 hart) {
  // What mtimecmp holds at reset is open.
  never();
  on_interrupt = note;
  show_software();
  show_timer();
  show_order();
  show_nested();
  show_vectored();
}
