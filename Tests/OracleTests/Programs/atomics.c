// What atomics compute, and that they are atomic between four harts; locks, messages and barriers made of them.
#include "runtime.h"

#define HARTS 4
#define ROUNDS 1000

static const u64 values[] = {0, 1, ~0ul, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
                             0x123456789abcdef0, 0xfffffffffffffff0, 0xffffffff80000000};
#define COUNT (sizeof values / sizeof *values)

#define OPERATIONS(X) X(swap) X(add) X(xor) X(and) X(or) X(min) X(max) X(minu) X(maxu)

#define COMPUTE(operation) \
  for (u64 i = 0; i < COUNT; i++) { \
    u64 words = HASH_START, doubles = HASH_START; \
    for (u64 k = 0; k < COUNT; k++) { \
      u64 cell[2] = {values[i], 0x5555}; \
      u64 old; \
      __asm__ volatile("amo" #operation ".d %0, %1, (%2)" : "=r"(old) : "r"(values[k]), "r"(cell) : "memory"); \
      doubles = hash(hash(doubles, old), cell[0]); \
      cell[0] = values[i]; \
      __asm__ volatile("amo" #operation ".w.aqrl %0, %1, (%2)" : "=r"(old) : "r"(values[k]), "r"(cell) : "memory"); \
      words = hash(hash(words, old), cell[0]); \
      __asm__ volatile("amo" #operation ".w %0, %1, (%2)" : "=r"(old) : "r"(values[k]), "r"((u64)cell + 4) : "memory"); \
      words = hash(hash(words, old), cell[0]); \
      /* The target is the operand, the address, or nothing. */ \
      u64 both = values[k]; \
      __asm__ volatile("amo" #operation ".d %0, %0, (%1)" : "+r"(both) : "r"(cell) : "memory"); \
      doubles = hash(hash(doubles, both), cell[0]); \
      u64 *at = cell; \
      __asm__ volatile("amo" #operation ".w %0, %1, (%0)" : "+r"(at) : "r"(values[k]) : "memory"); \
      words = hash(hash(words, (u64)at), cell[0]); \
      __asm__ volatile("amo" #operation ".d x0, %0, (%1)" ::"r"(values[k]), "r"(cell) : "memory"); \
      doubles = hash(hash(doubles, cell[0]), cell[1]); \
    } \
    line2("amo" #operation, doubles, words); \
  }

static struct {
  volatile u64 add, xor_, or_, max, conditional, locked __attribute__((aligned(64)));
  volatile u32 add_word, conditional_word, lock, minimum;
} shared;

static u64 store_conditional(volatile u64 *at, u64 add) {
  u64 old, new, failed;
  __asm__ volatile(
      "1: lr.d.aq %0, (%3); add %1, %0, %4; sc.d.rl %2, %1, (%3); bnez %2, 1b"
      : "=&r"(old), "=&r"(new), "=&r"(failed)
      : "r"(at), "r"(add)
      : "memory");
  return old;
}

static void store_conditional_word(volatile u32 *at) {
  u64 old, failed;
  __asm__ volatile(
      "1: lr.w %0, (%2); addiw %0, %0, 1; sc.w %1, %0, (%2); bnez %1, 1b" : "=&r"(old), "=&r"(failed) : "r"(at) : "memory");
}

static void take(volatile u32 *lock) {
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
    while (*lock) {}
  }
}

static void count(u64 hart) {
  for (u64 i = 0; i < ROUNDS; i++) {
    __atomic_fetch_add(&shared.add, i, __ATOMIC_RELAXED);
    __atomic_fetch_add(&shared.add_word, 1, __ATOMIC_RELAXED);
    __atomic_fetch_xor(&shared.xor_, 1ul << (hart * 16 + i % 16), __ATOMIC_RELAXED);
    __atomic_fetch_or(&shared.or_, 1ul << (hart * 16 + i % 16), __ATOMIC_RELAXED);
    u64 old;
    __asm__ volatile("amomaxu.d %0, %1, (%2)" : "=r"(old) : "r"(hart * ROUNDS + i), "r"(&shared.max) : "memory");
    __asm__ volatile("amomin.w %0, %1, (%2)" : "=r"(old) : "r"(-(hart * ROUNDS + i)), "r"(&shared.minimum) : "memory");
    store_conditional(&shared.conditional, 3);
    store_conditional_word(&shared.conditional_word);
    take(&shared.lock);
    shared.locked += hart + 1;
    __atomic_store_n(&shared.lock, 0, __ATOMIC_RELEASE);
  }
}

// Nothing but one AMO, and nothing but one pair, as long as it takes for harts to run side by side.
static volatile u64 crowded, crowded_pairs;

static void crowd(void) {
  for (u64 i = 0; i < 50000; i++) {
    __asm__ volatile(
        "amoadd.d x0, %0, (%1); amoadd.d x0, %0, (%1); amoadd.d x0, %0, (%1); amoadd.d x0, %0, (%1)" ::"r"(1), "r"(&crowded)
        : "memory");
  }
  for (u64 i = 0; i < 20000; i++) store_conditional(&crowded_pairs, 1);
}

// Each hart sends to the next, round and round; a message's words are written before its number.
static struct {
  volatile u64 number, words[4];
  u64 space[3];
} boxes[HARTS] __attribute__((aligned(64)));
static volatile u64 wrong;

static void pass_messages(u64 hart) {
  for (u64 round = 1; round <= 40; round++) {
    u64 next = (hart + 1) % HARTS;
    if (hart != 0 || round > 1) {
      u64 expected = hart == 0 ? round - 1 : round;
      while (__atomic_load_n(&boxes[hart].number, __ATOMIC_ACQUIRE) != expected) {}
      u64 sender = (hart + HARTS - 1) % HARTS;
      for (int i = 0; i < 4; i++) {
        if (boxes[hart].words[i] != (sender << 32 | (expected * 4 + i))) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
      }
    }
    for (int i = 0; i < 4; i++) boxes[next].words[i] = hart << 32 | (round * 4 + i);
    __atomic_store_n(&boxes[next].number, round, __ATOMIC_RELEASE);
  }
}

// Two harts write and then read what the other wrote: with a fence between, one of them sees the other's.
static volatile u64 flags[2][8], both_missed, seen[2];

static void cross(u64 hart) {
  for (u64 round = 1; round <= 100; round++) {
    flags[hart][0] = round;
    __asm__ volatile("fence rw, rw" ::: "memory");
    seen[hart] = flags[1 - hart][0] == round;
    barrier(2);
    if (hart == 0 && !seen[0] && !seen[1]) both_missed++;
    barrier(2);
  }
}

void program(u64 hart) {
  if (hart == 0) {
    OPERATIONS(COMPUTE)
    // Its identity for what is counted below.
    shared.minimum = 0;
  }
  barrier(HARTS);
  crowd();
  barrier(HARTS);
  if (hart == 0) line2("crowded", crowded, crowded_pairs);
  count(hart);
  barrier(HARTS);
  if (hart == 0) {
    line2("added", shared.add, shared.add_word);
    line2("xored, or", shared.xor_, shared.or_);
    line2("max, min", shared.max, shared.minimum);
    line2("conditional", shared.conditional, shared.conditional_word);
    line("locked", shared.locked);
  }
  pass_messages(hart);
  barrier(HARTS);
  if (hart == 0) line("wrong messages", wrong);
  barrier(HARTS);
  if (hart < 2) cross(hart);
  if (hart == 0) line("missed by both", both_missed);
}
