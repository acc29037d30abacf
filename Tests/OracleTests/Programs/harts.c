// Four harts: their numbers, interrupts between them, sleeping and waking, and work shared with barriers.
#include "runtime.h"

#define HARTS 4

static volatile u64 numbers[HARTS], wakes[HARTS], kicks;
static u32 cells[HARTS * 1024];
static volatile u64 sums[HARTS];

static void woken(struct frame *frame) {
  u64 hart = hart_id();
  if (frame->cause != (INTERRUPT | 3)) finish_with(2);
  write32(CLINT + 4 * hart, 0);
  wakes[hart]++;
  __atomic_fetch_add(&kicks, 1, __ATOMIC_ACQ_REL);
}

// A token goes round: who has it wakes the next and waits.
static void go_round(u64 hart) {
  for (u64 round = 0; round < 50; round++) {
    sleep_until(&kicks, round * HARTS + hart);
    write32(CLINT + 4 * ((hart + 1) % HARTS), 1);
  }
}

static void compute(u64 hart) {
  u64 state = hart;
  for (int i = 0; i < 1024; i++) cells[hart * 1024 + i] = next_random(&state);
  for (int round = 0; round < 20; round++) {
    barrier(HARTS);
    u64 sum = HASH_START;
    for (u64 i = 0; i < 1024; i++) sum = hash(sum, cells[(((hart + round) % HARTS) * 1024) + i]);
    sums[hart] = hash(sums[hart], sum);
    barrier(HARTS);
    for (u64 i = 0; i < 1024; i += 8) cells[hart * 1024 + i] ^= sum >> (i % 32);
  }
  barrier(HARTS);
}

// All are interrupted by their own timers while they count.
static volatile u64 timers[HARTS];

static void timed(struct frame *frame) {
  u64 hart = hart_id();
  if (frame->cause != (INTERRUPT | 7)) finish_with(3);
  timers[hart]++;
  write64(CLINT + 0x4000 + 8 * hart, timers[hart] == 10 ? ~0ul : ticks() + 1000);
}

static void count_time(u64 hart) {
  write64(CLINT + 0x4000 + 8 * hart, ticks() + 1000);
  csr_write(mie, TIMER);
  csr_set(mstatus, MIE);
  if (hart % 2) sleep_until(&timers[hart], 10);
  while (timers[hart] < 10) {}
  csr_clear(mstatus, MIE);
}

void program(u64 hart) {
  numbers[hart] = csr_read(mhartid) + 1;
  on_interrupt = woken;
  csr_write(mie, SOFTWARE);
  barrier(HARTS);
  if (hart == 0) for (int i = 0; i < HARTS; i++) line("hart", numbers[i]);
  go_round(hart);
  barrier(HARTS);
  // The last wake went to hart 0, which may not have taken it yet.
  while (kicks < 50 * HARTS) {}
  csr_clear(mstatus, MIE);
  if (hart == 0) for (int i = 0; i < HARTS; i++) line("wakes", wakes[i]);
  compute(hart);
  if (hart == 0) for (int i = 0; i < HARTS; i++) line("sum", sums[i]);
  barrier(HARTS);
  on_interrupt = timed;
  barrier(HARTS);
  count_time(hart);
  barrier(HARTS);
  if (hart == 0) for (int i = 0; i < HARTS; i++) line("timers", timers[i]);
}
