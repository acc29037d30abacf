// What every program has: the console, traps as values, and the board's addresses.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef signed long s64;

#define UART 0x10000000ul
#define CLINT 0x02000000ul
#define PLIC 0x0c000000ul
#define FINISHER 0x00100000ul
#define RAM_END 0x81000000ul

#define read8(address) (*(volatile u8 *)(address))
#define read32(address) (*(volatile u32 *)(address))
#define read64(address) (*(volatile u64 *)(address))
#define write8(address, value) (*(volatile u8 *)(address) = (value))
#define write32(address, value) (*(volatile u32 *)(address) = (value))
#define write64(address, value) (*(volatile u64 *)(address) = (value))

#define csr_read(name) \
  ({ u64 value_; __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory"); value_; })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " #name ", %0" ::"r"((u64)(value)) : "memory")
#define csr_clear(name, value) __asm__ volatile("csrc " #name ", %0" ::"r"((u64)(value)) : "memory")

#define MIE (1ul << 3)
#define MPIE (1ul << 7)
#define INTERRUPT (1ul << 63)
#define SOFTWARE (1ul << 3)
#define TIMER (1ul << 7)
#define EXTERNAL (1ul << 11)

// What trap_entry saved; `epc` is where the program goes on.
struct frame {
  u64 ra, t0, t1, t2, a[8], t3, t4, t5, t6;
  u64 cause, epc, value, status;
};

// The last exception of a hart, and how many it had.
struct trap {
  u64 count, cause, epc, value, status;
};
extern volatile struct trap traps[8];

// What an interrupt does, in the program's hands; one that nobody expects ends the guest.
extern void (*volatile on_interrupt)(struct frame *frame);

void program(u64 hart);
void finish_with(u64 code) __attribute__((noreturn));

void print(const char *text);
void print_hex(u64 value);
// "name value", "name value value"
void line(const char *name, u64 value);
void line2(const char *name, u64 first, u64 second);

#define HASH_START 0xcbf29ce484222325ul
u64 hash(u64 hash, u64 value);
u64 hash_bytes(u64 hash, const volatile u8 *bytes, u64 count);
// The next of a sequence that depends on `*state` only.
u64 next_random(u64 *state);

u64 ticks(void);
u64 hart_id(void);
// Sleeps until the interrupt handler has brought `*word` to `least`. Interrupts are on outside.
void sleep_until(volatile u64 *word, u64 least);
// Waits for all `harts`.
void barrier(u64 harts);

// Clears the last trap of this hart, so that `show_trap` can tell that there was none.
void expect_trap(void);
void show_trap(const char *name);
// Runs an instruction and prints what it trapped with, if it did.
#define TRY(name, text, ...) \
  do { \
    expect_trap(); \
    __asm__ volatile(text __VA_ARGS__); \
    show_trap(name); \
  } while (0)
